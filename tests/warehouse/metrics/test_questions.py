"""What may be asked of metrics, and what is said to those who ask otherwise."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from extractors.errors import ConfigError
from warehouse.metrics import definitions, questions
from warehouse.metrics.answers import exact


def semantic_model(name: str, measures: tuple[str, ...], grain: str, *dimensions: str) -> Any:
    time = {"name": "day", "type": "time", "type_params": {"time_granularity": grain}}
    return {
        "name": name,
        "primary_entity": f"row_of_{name}",
        "node_relation": {"schema_name": "marts", "alias": name},
        "measures": [{"name": measure} for measure in measures],
        "dimensions": [time, *({"name": one, "type": "categorical"} for one in dimensions)],
    }


def metric(name: str, parameters: dict[str, Any], kind: str = "simple", **meta: str) -> Any:
    return {
        "name": name,
        "label": name,
        "description": name,
        "type": kind,
        "type_params": parameters,
        "config": {"meta": {"unit": "count", **meta}},
    }


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> definitions.Definitions:
    simple = [
        metric("spend", {"measure": {"name": "spend"}}),
        metric("revenue", {"measure": {"name": "revenue"}}),
        metric("commission", {"measure": {"name": "commission"}}, needs="currency"),
    ]
    parts = {"numerator": {"name": "revenue"}, "denominator": {"name": "spend"}}
    ratio = metric("return_on_spend", parts, "ratio", unit="ratio", short="ROAS")
    ads = semantic_model("ads", ("spend", "revenue"), "day", "channel", "country")
    ledger = semantic_model("ledger", ("commission",), "month", "currency")
    path = tmp_path_factory.mktemp("project") / "manifest.json"
    document = {
        "metrics": {one["name"]: one for one in [*simple, ratio]},
        "semantic_models": {one["name"]: one for one in (ads, ledger)},
        "nodes": {},
    }
    path.write_text(json.dumps(document))
    return definitions.read(path)


def test_a_metric_is_found_by_its_short_name_in_any_case(known: definitions.Definitions) -> None:
    asked = questions.question(known, ["ROAS", "roas", "Return-On-Spend"])
    assert [one.name for one in asked.metrics] == ["return_on_spend"]


def test_conditions_hold_values_or_leave_them_out(known: definitions.Definitions) -> None:
    asked = questions.question(
        known, ["spend"], ["Country", "month"], ["channel = email, search", "country!=(unknown)"]
    )
    assert asked.by == ("country", "month")
    assert asked.where == (
        questions.Condition("channel", ("email", "search"), excludes=False),
        questions.Condition("country", ("(unknown)",), excludes=True),
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"metrics": ["revenu"]}, "metric revenu does not exist (did you mean revenue?)"),
        ({"metrics": ["qqq"]}, "metric qqq does not exist; `warehouse metrics` lists all"),
        (
            {"metrics": ["spend"], "by": ["chanel"]},
            "spend has no dimension chanel (did you mean channel?); it has channel, country, day,",
        ),
        ({"metrics": ["spend"], "where": ["currency=EUR"]}, "spend has no dimension currency; it"),
        ({"metrics": ["spend", "commission"], "by": ["currency"]}, "spend has no dimension"),
        ({"metrics": ["spend"], "where": ["channel>email"]}, "write DIMENSION=VALUE"),
        ({"metrics": ["spend"], "where": ["channel="]}, "write DIMENSION=VALUE"),
        ({"metrics": ["spend"], "where": ["channel={{ x }}"]}, "values with braces"),
        ({"metrics": ["spend"], "by": ["month", "day"]}, "group by one time, not by month and day"),
        ({"metrics": ["commission"]}, "commission must not be summed over currency; add --by"),
        ({"metrics": ["commission"], "where": ["currency=EUR,GBP"]}, "must not be summed over"),
        ({"metrics": ["commission"], "where": ["currency!=EUR"]}, "must not be summed over"),
        (
            {"metrics": ["commission"], "by": ["currency", "week"]},
            "commission is counted by month, which no week can be told of; it can be grouped by"
            " month, quarter, year",
        ),
        (
            {"metrics": ["commission"], "by": ["currency"], "first": date(2026, 1, 15)},
            "2026-01-15 is not the first day of one",
        ),
        (
            {"metrics": ["commission"], "by": ["currency"], "last": date(2026, 2, 27)},
            "2026-02-27 is not the last day of one",
        ),
        (
            {"metrics": ["spend"], "first": date(2026, 2, 2), "last": date(2026, 2, 1)},
            "nothing lies between 2026-02-02 and 2026-02-01",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_with_what_can(
    known: definitions.Definitions, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        questions.question(known, **arguments)
    assert says in str(refused.value)
    assert refused.value.exit_code == 2


def test_the_last_of_all_days_ends_a_month(known: definitions.Definitions) -> None:
    asked = questions.question(known, ["commission"], ["currency"], last=date.max)
    assert asked.last == date.max


def test_one_currency_or_each_by_itself_may_be_summed(known: definitions.Definitions) -> None:
    choices: list[dict[str, Any]] = [{"where": ["currency=EUR"]}, {"by": ["currency"]}]
    for arguments in choices:
        asked = questions.question(known, ["commission"], last=date(2026, 2, 28), **arguments)
        assert asked.last == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("name", "above", "below", "quotient"),
    [
        ("return_on_spend", 2, 3, "0.666666666667"),
        ("return_on_spend", Decimal("-0.0000000000005"), 1, "-0.000000000001"),
        ("return_on_spend", Decimal("99999999999999999999.9999"), 1, "99999999999999999999.9999"),
        ("return_on_spend", 1, 0, None),
        ("return_on_spend", 1, None, None),
        ("return_on_spend", None, 1, None),
    ],
)
def test_ratios_are_exact_to_twelve_digits_rounded_half_away_from_zero(
    known: definitions.Definitions, name: str, above: Any, below: Any, quotient: str | None
) -> None:
    found = exact(known.metric(name), {"above": above, "below": below})
    assert found == (quotient if quotient is None else Decimal(quotient))
