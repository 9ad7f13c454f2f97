"""Commissions under other plans are what those would have given, and nothing is touched for it."""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.shops import Shop

pytestmark = pytest.mark.slow

ALWAYS = ("--from", "2000-01-01", "--to", "2100-01-01")
# A line, what it would earn exactly at its present rate, and which share of it was not refunded.
LINES = """
select
    affiliate_id, currency, attribution_rule, reason, commission_amount, due_amount,
    base_amount * rate::decimal(9, 8) * fx_rate::decimal(9, 8) as exact, reporting_line_amount,
    reporting_line_amount - coalesce(refunded, 0) as kept
from affiliate.conversions
left join (
    select order_line_id, sum(amount) as refunded from core.refund_allocations group by all
) using (order_line_id)
"""


@pytest.fixture(scope="module")
def in_force(demo_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of the plans in force."""
    file = tmp_path_factory.mktemp("plans") / "plans.csv"
    text = demo_shop.command("replay-commissions", "--write-plans", str(file)).stdout
    assert text == f"{len(plans(file))} plans written to {file}\n"
    return file


def plans(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return [*csv.DictReader(lines)]


def changed(file: Path, to: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> str:
    rows = [change(row) for row in plans(file)]
    with to.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
    return str(to)


def prints(shop: Shop) -> dict[str, str]:
    """Return a hash of each file of the state, the versions and the build database, by path."""
    home = shop.directory / "var"
    files = [*home.glob("state/**/*"), *home.glob("published/*"), home / "build.duckdb"]
    return {
        str(file.relative_to(home)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file()
    }


def by_affiliate(found: Any, name: str) -> dict[tuple[str, str], Decimal]:
    return {
        (one["affiliate_id"], one["currency"]): Decimal(one[name]) for one in found["affiliates"]
    }


def test_the_plans_in_force_give_what_is_published_and_leave_all_as_it_is(
    demo_shop: Shop, in_force: Path
) -> None:
    before = prints(demo_shop)
    days = ("2026-01-10", "2026-03-01")
    found = demo_shop.json(
        *("replay-commissions", "--plans", str(in_force), "--from", days[0], "--to", days[1])
    )
    assert prints(demo_shop) == before
    assert not (demo_shop.directory / "var" / "replay").exists()
    assert set(by_affiliate(found, "difference").values()) == {Decimal(0)}
    assert {one["changed_lines"] for one in found["affiliates"]} == {0}
    rows = demo_shop.query(
        "select affiliate_id, currency, count(*), sum(commission_amount), sum(due_amount)"
        f" from affiliate.conversions where order_date >= '{days[0]}' and order_date < '{days[1]}'"
        " group by all order by all"
    )
    assert rows == [
        (
            *(one["affiliate_id"], one["currency"], one["lines"]),
            *(Decimal(one["commission_in_force"]), Decimal(one["due_in_force"])),
        )
        for one in found["affiliates"]
    ]
    [(everything,)] = demo_shop.query("select count(*) from affiliate.conversions")
    assert 100 < sum(one["lines"] for one in found["affiliates"]) < everything


def test_twice_the_rates_give_twice_as_much_to_the_cent(
    demo_shop: Shop, in_force: Path, tmp_path: Path
) -> None:
    file = changed(
        in_force,
        tmp_path / "plans.csv",
        lambda plan: {**plan, "rate": str(2 * Decimal(plan["rate"]))},
    )
    found = demo_shop.json("replay-commissions", "--plans", file, *ALWAYS)
    cent = Decimal("0.01")
    totals: dict[str, dict[tuple[str, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    refunded = 0
    for affiliate, currency, _, reason, commission, due, exact, sold, kept in demo_shop.query(
        LINES
    ):
        key = (affiliate, currency)
        for times in (1, 2):
            whole = Decimal(0) if reason else (times * exact).quantize(cent, ROUND_HALF_UP)
            share = whole
            if kept != sold and not reason:
                left = max(kept, Decimal(0))
                share = (times * exact * left / sold).quantize(cent, ROUND_HALF_UP)
                refunded += left > 0
            if times == 1:
                assert (whole, share) == (commission, due)
                totals["due_in_force"][key] += share
            else:
                totals["commission_replayed"][key] += whole
                totals["due_replayed"][key] += share
                totals["difference"][key] += share - due
    assert refunded
    for name, expected in totals.items():
        assert by_affiliate(found, name) == expected, name
    assert all(total > 0 for total in totals["difference"].values())


def test_without_a_window_only_coupons_bring_lines(
    demo_shop: Shop, in_force: Path, tmp_path: Path
) -> None:
    file = changed(in_force, tmp_path / "plans.csv", lambda plan: {**plan, "window_days": "0"})
    found = demo_shop.json("replay-commissions", "--plans", file, *ALWAYS)
    due: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    lost: dict[tuple[str, str], int] = defaultdict(int)
    for affiliate, currency, rule, _, commission, amount, *_ in demo_shop.query(LINES):
        due[affiliate, currency] += amount if rule == "coupon" else Decimal(0)
        lost[affiliate, currency] += rule != "coupon" and commission > 0
    assert by_affiliate(found, "due_replayed") == due
    assert by_affiliate(found, "changed_lines") == lost
    assert sum(lost.values())
    assert sum(due.values())


def test_what_is_wrong_with_a_file_or_the_days_ends_with_code_2(
    demo_shop: Shop, in_force: Path, tmp_path: Path
) -> None:
    file = changed(
        in_force, tmp_path / "plans.csv", lambda plan: {**plan, "affiliate_id": "nobody"}
    )
    for arguments, problem in [
        (("--plans", file, *ALWAYS), "line 2, affiliate_id: the shop has no affiliate 'nobody'"),
        (("--plans", file, "--from", "2026-01-01"), "give --plans, --from and --to"),
        (("--write-plans", file, *ALWAYS), "give --plans, --from and --to"),
        (("--plans", file, "--from", "2026-02-01", "--to", "2026-02-01"), "is not after --from"),
        (("--plans", file, "--from", "2026-02-30", "--to", "2026-03-01"), "is not a day"),
    ]:
        ended = demo_shop.command("replay-commissions", *arguments, check=False)
        assert ended.returncode == 2, ended.stderr
        assert problem in ended.stderr
        assert ended.stdout == ""
    assert not (demo_shop.directory / "var" / "replay").exists()
