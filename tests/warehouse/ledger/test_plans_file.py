"""A file of plans is taken as it says, or each wrong line and field of it is named."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from extractors.errors import ConfigError
from warehouse.ledger import plans_file
from warehouse.ledger.plans_file import FIELDS, Plan

ZONE = ZoneInfo("Europe/London")
HEAD = ",".join(FIELDS)
GOOD = "p1,a1,toys,2,500,0.055,30,14,2026-07-01,2026-08-01T12:00:00+02:00"


def file(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "plans.csv"
    path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return path


def refusal(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        plans_file.read(path, ZONE)
    return str(refused.value).removeprefix(f"{path}: ").splitlines()


def test_what_is_read_is_written_again_alike(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD, "", "all,,,,,1,0,0,2026-01-01T00:00:00.5Z,")
    plans = plans_file.read(path, ZONE)
    assert plans == {
        2: Plan(
            *("p1", "a1", "toys", 2, Decimal(500), Decimal("0.055"), 30, 14),
            # British Summer Time
            datetime(2026, 6, 30, 23, tzinfo=UTC),
            datetime(2026, 8, 1, 10, tzinfo=UTC),
        ),
        4: Plan(
            *("all", None, None, None, None, Decimal(1), 0, 0),
            *(datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC), None),
        ),
    }
    plans_file.write(path, plans.values())
    assert [*plans_file.read(path, ZONE).values()] == [*plans.values()]


def test_columns_may_stand_in_any_order_behind_a_mark_of_the_encoding(tmp_path: Path) -> None:
    names, values = (text.split(",")[::-1] for text in (HEAD, GOOD))
    path = file(tmp_path, ",".join(values), head="\ufeff" + ",".join(names))
    [plan] = plans_file.read(path, ZONE).values()
    assert (plan.plan_id, plan.rate) == ("p1", Decimal("0.055"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("plan_id", ""), ("plan_id", "x" * 257), ("affiliate_id", "x" * 257)],
        *[("tier", "0"), ("tier", "1.5"), ("tier", "-1"), ("tier_min_sales", "-1")],
        *[("tier_min_sales", "1.00001"), ("tier_min_sales", "1" + "0" * 15)],
        *[("rate", ""), ("rate", "5%"), ("rate", "1.1"), ("rate", "-0.1"), ("rate", "NaN")],
        *[
            ("rate", "0.123456789"),
            ("rate", '"0,05"'),
            ("window_days", ""),
            ("window_days", "36501"),
        ],
        *[("window_days", "1e3"), ("hold_days", "-1"), ("valid_from", ""), ("valid_from", "soon")],
        *[("valid_from", "2026-02-30"), ("valid_from", "2026-03-01T12:00:00")],
        *[("valid_to", "2026-06-30"), ("valid_to", "2026-07-01"), ("valid_to", "0001-01-01")],
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_field(
    tmp_path: Path, field: str, value: str
) -> None:
    values = dict(zip(FIELDS, GOOD.split(","), strict=True)) | {field: value}
    [problem] = refusal(file(tmp_path, GOOD.replace("p1", "first"), ",".join(values.values())))
    assert problem.startswith(f"line 3, {field}: ")
    assert value.strip('"') in problem or problem.endswith("is empty")


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    first, *rest = refusal(file(tmp_path, GOOD, GOOD, GOOD.replace("0.055", "x").replace("30", "")))
    assert first == "4 problems"
    assert rest == [
        "  line 3, plan_id: 'p1' is that of line 2, too",
        "  line 4, rate: 'x' is not a share from 0 to 1 with up to 8 decimals,"
        " such as 0.05 for 5 %",
        "  line 4, window_days: is empty",
        "  line 4, plan_id: 'p1' is that of line 2, too",
    ]
    many = refusal(file(tmp_path, *[GOOD] * 23))
    assert (len(many), many[0], many[-1]) == (22, "22 problems", "  and 2 more")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEAD.replace("rate,", ""), "line 1 has no column 'rate'"),
        (HEAD.replace("rate", "rates"), "line 1 has no column 'rate'"),
        (f"{HEAD},note", "line 1 knows no column 'note'"),
        (f"{HEAD},rate", "line 1 has twice the column 'rate'"),
        ("", "line 1 has no column 'plan_id', 'affiliate_id'"),
        (HEAD, "holds no plan"),
        (f"{HEAD}\n\np1,a1", "line 3, row: has 2 values for 10 columns"),
        (f'{HEAD}\n"p1', "is not CSV"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "plans.csv"
    path.write_text(text, encoding="utf-8")
    assert refusal(path)[0].startswith(problem)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv") == ["No such file or directory"]
    path = tmp_path / "latin.csv"
    path.write_bytes(HEAD.encode() + b"\n\xe9")
    assert refusal(path) == ["is not UTF-8 text"]
    with pytest.raises(ConfigError, match="Is a directory"):
        plans_file.write(tmp_path, [])


def test_affiliates_and_categories_that_do_not_exist_are_named(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD, "all,,,,,1,0,0,2026-01-01,")
    plans = plans_file.read(path, ZONE)
    plans_file.require_known(path, plans, {"a1"}, {"toys"})
    with pytest.raises(ConfigError) as refused:
        plans_file.require_known(path, plans, {"a2"}, {"toy"})
    assert str(refused.value).splitlines()[1:] == [
        "  line 2, affiliate_id: the shop has no affiliate 'a1'",
        "  line 2, category: no product is of the category 'toys'",
    ]
