"""Every metric answers what plain SQL on the published marts answers, to the last digit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import pytest

import warehouse
from extractors.errors import ConfigError
from tests.cli.command import Command
from tests.cli.one_version import publish
from tests.cli.test_versions import CONFIGURATION
from tests.shops import Shop
from warehouse.metrics import answers, definitions, questions
from warehouse.metrics.engine import Engine
from warehouse.publish.reader import Published

LAST_TOUCH, BY_MODEL = "campaign.performance_daily_last_touch", "campaign.performance_daily"
OF_AFFILIATES, LEDGER = "affiliate.performance_daily", "affiliate.commission_ledger"
TRIGGERS, ORDERS, TOTALS = (
    "recommendation.trigger_performance_daily",
    "core.orders",
    "core.daily_totals",
)
DAYS = {LEDGER: "period", ORDERS: "order_date"}
COLUMNS = {"attribution_model": "model"}
SALES = "where order_kind = 'sale' and status <> 'cancelled'"
MONEY, SHARE = 4, 12


# Of these only campaigns count that cost something in the days of a row.
PAID = {
    *("cost_per_order", "cost_per_new_customer", "return_on_ad_spend"),
    "model_return_on_ad_spend",
}


def account(name: str) -> str:
    return f"where account = '{name}'"


# A metric by hand: table and condition, what is summed, what it is divided by, digits of a ratio.
BY_HAND: dict[str, tuple[str, str, str, str | None, int]] = {
    **{
        name: (LAST_TOUCH, "", f"sum({name})", None, 0)
        for name in (
            *("spend", "impressions", "ad_clicks", "sessions", "new_visitors", "orders"),
            *("new_customers", "attributed_revenue", "attributed_net_revenue"),
            "contribution_margin",
        )
    },
    "click_through_rate": (LAST_TOUCH, "", "sum(ad_clicks)", "sum(impressions)", SHARE),
    "conversion_rate": (LAST_TOUCH, "", "sum(orders)", "sum(sessions)", SHARE),
    "cost_per_order": (LAST_TOUCH, "", "sum(spend)", "sum(orders)", MONEY),
    "cost_per_new_customer": (LAST_TOUCH, "", "sum(spend)", "sum(new_customers)", MONEY),
    "return_on_ad_spend": (LAST_TOUCH, "", "sum(attributed_revenue)", "sum(spend)", SHARE),
    "blended_cost_per_new_customer": (LAST_TOUCH, "", "sum(spend)", "sum(new_customers)", MONEY),
    "marketing_efficiency_ratio": (LAST_TOUCH, "", "sum(attributed_revenue)", "sum(spend)", SHARE),
    "model_spend": (BY_MODEL, "", "sum(spend)", None, 0),
    "model_orders": (BY_MODEL, "", "sum(orders)", None, 0),
    "model_new_customers": (BY_MODEL, "", "sum(new_customers)", None, 0),
    "model_revenue": (BY_MODEL, "", "sum(attributed_revenue)", None, 0),
    "model_net_revenue": (BY_MODEL, "", "sum(attributed_net_revenue)", None, 0),
    "model_contribution_margin": (BY_MODEL, "", "sum(contribution_margin)", None, 0),
    "model_return_on_ad_spend": (BY_MODEL, "", "sum(attributed_revenue)", "sum(spend)", SHARE),
    "affiliate_clicks": (OF_AFFILIATES, "", "sum(clicks)", None, 0),
    "valid_affiliate_clicks": (OF_AFFILIATES, "", "sum(valid_clicks)", None, 0),
    "affiliate_orders": (OF_AFFILIATES, "", "sum(orders)", None, 0),
    "affiliate_sales": (OF_AFFILIATES, "", "sum(sales)", None, 0),
    "commission_on_orders": (OF_AFFILIATES, "", "sum(commission)", None, 0),
    "reversed_commission": (OF_AFFILIATES, "", "sum(reversed_commission)", None, 0),
    "reversal_rate": (OF_AFFILIATES, "", "sum(reversed_commission)", "sum(commission)", SHARE),
    "affiliate_conversion_rate": (OF_AFFILIATES, "", "sum(orders)", "sum(valid_clicks)", SHARE),
    "earnings_per_click": (OF_AFFILIATES, "", "sum(commission)", "sum(valid_clicks)", MONEY),
    "commission_accrued": (LEDGER, account("commission_expense"), "sum(amount)", None, 0),
    "commission_pending": (LEDGER, account("affiliate_pending"), "-sum(amount)", None, 0),
    "commission_payable": (LEDGER, account("affiliate_payable"), "-sum(amount)", None, 0),
    "commission_paid": (LEDGER, account("affiliate_paid"), "-sum(amount)", None, 0),
    "triggers_due": (TRIGGERS, "", "sum(due_count)", None, 0),
    "triggers_sent": (TRIGGERS, "", "sum(sent_count)", None, 0),
    "triggers_clicked": (TRIGGERS, "", "sum(clicked_count)", None, 0),
    "trigger_orders": (TRIGGERS, "", "sum(order_count)", None, 0),
    "trigger_revenue": (TRIGGERS, "", "sum(attributed_revenue)", None, 0),
    "trigger_click_rate": (TRIGGERS, "", "sum(clicked_count)", "sum(sent_count)", SHARE),
    "shop_orders": (ORDERS, SALES, "count(*)", None, 0),
    "order_revenue": (ORDERS, SALES, "sum(gross_revenue)", None, 0),
    "order_net_revenue": (ORDERS, SALES, "sum(net_revenue)", None, 0),
    "average_order_value": (ORDERS, SALES, "sum(gross_revenue)", "count(*)", MONEY),
    "gross_revenue": (TOTALS, "", "sum(gross_revenue)", None, 0),
    "refunded_amount": (TOTALS, "", "sum(refunded_amount)", None, 0),
    "net_revenue": (TOTALS, "", "sum(gross_revenue) - sum(refunded_amount)", None, 0),
}


@dataclass(frozen=True)
class Shown:
    """A published version and the metrics of its project."""

    published: Published
    definitions: definitions.Definitions
    engine: Engine

    def asked(self, *metrics: str, **arguments: Any) -> list[tuple[Any, ...]]:
        """Return the rows of an answer."""
        question = questions.question(self.definitions, metrics, **arguments)
        return answers.answer(self.published, self.engine, question).rows

    def by_hand(self, name: str, by: Sequence[str]) -> dict[tuple[Any, ...], Any]:
        """Return by plain SQL what a metric is, by group; what is 0 or nothing is left out."""
        table, condition, above, below, places = BY_HAND[name]
        groups = [
            f"date_trunc('month', {DAYS.get(table, 'report_date')})"
            if one == "month"
            else COLUMNS.get(one, one)
            for one in by
        ]
        if name in PAID:
            places_of = [f"{group} as g{number}" for number, group in enumerate(groups)]
            groups = [f"g{number}" for number in range(len(groups))]
            table = (
                f"(select {', '.join([*places_of, 'channel as c', 'campaign_id as d'])},"
                " sum(spend) as spend, sum(orders) as orders, sum(new_customers) as new_customers,"
                f" sum(attributed_revenue) as attributed_revenue from {table} group by all"
                " having sum(spend) <> 0)"
            )
        rows = self.published.execute(
            f"select {', '.join([*groups, above, below or '1'])} from {table} {condition}"
            f" {'group by all' if groups else ''}"
        ).fetchall()
        found = {tuple(group): _quotient(a, b, places) for *group, a, b in rows}
        return {group: value for group, value in found.items() if value}


def _quotient(above: Any, below: Any, places: int) -> Any:
    if not places:
        return above
    with localcontext(prec=60):
        divided = Decimal(above) / Decimal(below) if below else None
        return divided and divided.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


@pytest.fixture(scope="module")
def shown(demo_shop: Shop) -> Iterator[Shown]:
    """Yield the demo's current version, and the metrics that its last run knew."""
    [manifest] = (demo_shop.directory / "var" / "dbt").glob("manifest-*.json")
    with warehouse.open(config=demo_shop.directory / "warehouse.yml") as published:
        known = definitions.read(manifest)
        yield Shown(published, known, Engine(known))


@pytest.mark.slow
def test_every_metric_is_what_plain_sql_finds_by_month_and_by_all_its_dimensions(
    shown: Shown,
) -> None:
    assert shown.definitions.metrics.keys() == BY_HAND.keys()
    empty: list[str] = []
    for name, metric in shown.definitions.metrics.items():
        needed = [metric.needs] if metric.needs else []
        for by in (["month", *needed], list(metric.dimensions)):
            rows = shown.asked(name, by=by)
            expected = shown.by_hand(name, by)
            assert {tuple(group): value for *group, value in rows if value} == expected, (name, by)
            assert {type(row[-1]) for row in rows} <= {int, Decimal, type(None)}, name
            assert rows == sorted(rows, key=lambda row: row[: len(by)])
            empty += [] if expected else [name]
    # what the demo's first version has none of yet: payments to affiliates, clicks on e-mails
    assert set(empty) <= {
        *("commission_paid", "triggers_clicked", "trigger_click_rate", "trigger_orders"),
        *("trigger_revenue", "triggers_sent"),
    }


@pytest.mark.slow
def test_an_answer_hangs_on_no_other_metric_that_is_asked_beside_it(shown: Shown) -> None:
    together = shown.asked("orders", "roas", "shop_orders", by=["month"])
    for place, name in enumerate(("orders", "roas", "shop_orders"), 1):
        alone = dict(shown.asked(name, by=["month"]))
        assert {row[0]: row[place] for row in together if row[0] in alone} == alone


@pytest.mark.slow
def test_conditions_and_days_choose_rows_and_the_last_day_counts(shown: Shown) -> None:
    days = shown.published.execute(
        "select channel, sum(orders) from campaign.performance_daily_last_touch"
        " where report_date between '2026-02-03' and '2026-02-17' and channel <> 'direct'"
        " and channel <> 'email' group by channel order by channel"
    ).fetchall()
    asked = questions.question(
        *(shown.definitions, ["orders"], ["channel"], ["channel!=direct,email"]),
        *(date(2026, 2, 3), date(2026, 2, 17)),
    )
    assert answers.answer(shown.published, shown.engine, asked).rows == days
    assert len(days) > 2
    first = shown.asked("shop_orders", where=["is_first_order=true"])
    assert (
        first
        == shown.published.execute(
            "select count(*) from core.orders where is_counted and is_first_order"
        ).fetchall()
    )
    # a quotation mark in a value is a character like any other
    with pytest.raises(ConfigError, match="has channel it's"):
        shown.asked("orders", where=["channel=it's"])
    with pytest.raises(ConfigError, match=r"has channel emial \(did you mean email"):
        shown.asked("orders", where=["channel!=emial"])


@pytest.mark.slow
def test_the_command_prints_tables_csv_and_json_of_one_answer(demo_shop: Shop) -> None:
    query = (
        "metrics",
        "query",
        "roas",
        "spend",
        "--by",
        "channel",
        "--where",
        "channel=paid_search",
    )
    document = demo_shop.json(*query)
    [row] = document["rows"]
    assert document["units"] == {"return_on_ad_spend": "ratio", "spend": "GBP"}
    assert document["version"] == demo_shop.current()["version"]
    csv = demo_shop.command(*query, "--format", "csv").stdout.splitlines()
    assert csv == ["channel,return_on_ad_spend,spend", ",".join(row.values())]
    assert len(row["return_on_ad_spend"].partition(".")[2]) == 12
    table = demo_shop.command(*query).stdout.split()
    assert table[3:5] == ["paid_search", f"{Decimal(row['return_on_ad_spend']):,.4f}"]
    sql = demo_shop.command(*query, "--sql").stdout
    assert 'FROM "campaign"."performance_daily_last_touch"' in sql
    listed = {metric["name"]: metric for metric in demo_shop.json("metrics")}
    assert listed.keys() == BY_HAND.keys()
    assert listed["commission_paid"]["times"] == ["month", "quarter", "year"]
    assert "cost_per_new_customer" in demo_shop.command("metrics").stdout
    refused = demo_shop.command("metrics", "query", "roass", check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "did you mean roas" in refused.stderr


@pytest.mark.slow
def test_a_version_without_the_table_of_a_metric_is_named(shown: Shown, warehouse: Command) -> None:
    publish(warehouse, "create schema core; create table core.orders (order_id varchar)")
    import warehouse as package

    with package.open(config=warehouse.directory / "warehouse.yml") as old:
        for metric in ("spend", "shop_orders"):
            asked = questions.question(shown.definitions, [metric])
            with pytest.raises(ConfigError, match=f"{metric} cannot be told of v000001"):
                answers.answer(old, shown.engine, asked)


@pytest.mark.slow
def test_definitions_are_those_of_the_project_now_not_of_the_last_run(warehouse: Command) -> None:
    """After an upgrade, or an edit, the next run may be a day away."""
    (warehouse.directory / "warehouse.yml").write_text(
        CONFIGURATION + "warehouse: { dbt_project: edited }\n"
    )
    edited, kept = warehouse.directory / "edited", warehouse.directory / "var" / "dbt"
    edited.mkdir()
    (edited / "dbt_project.yml").write_text("name: 7\n")
    kept.mkdir(parents=True)
    (kept / "manifest-0123456789abcdef.json").write_text('{"metrics": {}}')
    assert "the dbt project cannot be parsed" in warehouse.fails(3, "metrics")


def test_a_folder_without_configuration_is_named(warehouse: Command) -> None:
    assert "warehouse.yml" in warehouse.fails(2, "metrics")
