"""The real orders arrive whole: every line, every cent, and the page that says where they went."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import warehouse
from tests.demo_shops import real_orders
from tests.shops import Shop
from tests.where_every_line_went import PAGE, page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> dict[str, Any]:
    document = json.loads((shared_data / "facts_developers.json").read_text(encoding="utf-8"))
    return document["online_retail"]


@pytest.fixture(scope="module")
def rows(real_shop: Shop) -> Any:
    """Return a function that asks the published version of the real orders."""
    version = warehouse.open(config=real_shop.directory / "warehouse.yml")
    return lambda query: version.execute(query).fetchall()


def test_the_page_says_what_a_run_publishes(real_shop: Shop, shared_data: Path) -> None:
    with warehouse.open(config=real_shop.directory / "warehouse.yml") as version:
        assert page(version, real_orders(shared_data)) == PAGE.read_text(encoding="utf-8")


def test_every_line_and_every_cent_of_the_file_is_published(
    rows: Any, facts: dict[str, Any]
) -> None:
    assert rows(
        "select (select count(*) from core.order_lines) + (select count(*) from core.refunds),"
        " (select sum(line_amount) from core.order_lines) - (select sum(amount) from core.refunds)"
    ) == [(facts["lines"], Decimal(facts["net"]))]


def test_every_invoice_is_an_order_or_a_refund_document(rows: Any, facts: dict[str, Any]) -> None:
    [(orders, documents)] = rows(
        "select (select count(*) from core.orders),"
        " (select count(distinct refund_document_id) from core.refunds)"
    )
    assert documents == facts["cancelled_invoices"]
    assert orders + documents == facts["invoices"]


def test_every_customer_is_published_also_those_who_only_cancelled(
    rows: Any, facts: dict[str, Any]
) -> None:
    assert rows(
        "select count(*), count(case when order_count = 0 then 1 end) from core.customers"
    ) == [(facts["customers"], 43)]


def test_each_month_of_the_shop_adds_up(rows: Any, facts: dict[str, Any]) -> None:
    found = rows(
        "select strftime(report_date, '%Y-%m'), sum(line_count) + sum(refund_line_count),"
        " sum(net_revenue) from core.daily_totals group by 1"
    )
    assert {month: (lines, net) for month, lines, net in found} == {
        month: (fact["lines"], Decimal(fact["net"])) for month, fact in facts["per_month"].items()
    }


def test_each_country_adds_up(rows: Any, facts: dict[str, Any]) -> None:
    found = rows(
        "select country, sum(line_count) + sum(refund_line_count), sum(net_revenue)"
        " from core.daily_totals group by 1 order by 3 desc limit 10"
    )
    assert found == [
        (fact["Country"], fact["lines"], Decimal(fact["net"]))
        for fact in facts["per_country_top10_by_net"]
    ]
    assert rows("select count(distinct country) from core.daily_totals") == [(facts["countries"],)]
