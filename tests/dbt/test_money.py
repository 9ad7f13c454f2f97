"""Every amount of the small shop, in three currencies, equals a plain loop's to the last place."""

import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from tests.dbt.build import WITHOUT_UNIT_TESTS, Build
from tests.dbt.money import Money, source_totals, status
from tests.dbt.raw_tables import insert
from tests.dbt.streams import Row

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def money(streams: dict[str, list[Row]]) -> Money:
    return Money(streams)


def test_order_lines_and_refunds_are_worth_what_the_rates_of_their_days_say(
    small_shop: Build, money: Money
) -> None:
    lines = small_shop.rows("select order_line_id, line_amount from core.order_lines")
    assert dict(lines) == money.line_amounts()
    refunds = small_shop.rows("select refund_id, amount from core.refunds")
    assert dict(refunds) == money.refund_amounts()
    orders = small_shop.rows("select order_id, gross_revenue from core.orders")
    assert dict(orders) == money.order_amounts()
    source = source_totals(money.rows)
    assert sum(gross != source[order_id] for order_id, gross in orders) > 50


def test_lines_that_went_back_piece_by_piece_leave_nothing_in_any_currency(
    small_shop: Build, money: Money
) -> None:
    worth = money.line_amounts()
    found = small_shop.rows(
        "select order_line_id, sum(amount), count(distinct amount) from core.refunds"
        " where refund_id like 'w%' group by 1"
    )
    assert {line: amount for line, amount, _ in found} == {line: worth[line] for line, *_ in found}
    assert len(found) > 15
    # pieces of one price that were rounded one by one would not sum to their line
    assert any(different > 1 for *_, different in found)


def test_refunds_find_their_lines_though_the_rates_of_both_days_differ(small_shop: Build) -> None:
    [(matched, foreign)] = small_shop.rows(
        """
        select count(*), count(case when order_lines.currency <> 'GBP' then 1 end)
        from core.refund_allocations as allocations
        inner join intermediate.int_core__order_lines as order_lines using (order_line_id)
        inner join intermediate.int_core__refunds as refunds using (refund_id)
        where match_rule in ('exact_quantity', 'latest_with_quantity_left')
            and order_lines.currency = refunds.currency
        """
    )
    assert small_shop.rows(
        "select count(*) from core.refund_allocations"
        " where match_rule in ('exact_quantity', 'latest_with_quantity_left')"
    ) == [(matched,)]
    assert foreign > 3


def test_what_was_paid_of_each_order_and_its_status_equal_a_plain_loop(
    small_shop: Build, money: Money
) -> None:
    found = small_shop.rows(
        "select order_id, is_counted, gross_revenue, paid_amount, payment_status from core.orders"
    )
    paid = money.paid_amounts()
    worth = money.order_amounts()
    for order_id, is_counted, gross, paid_amount, payment_status in found:
        assert (gross, paid_amount) == (worth[order_id], paid[order_id]), order_id
        due = gross if is_counted and gross > 0 else Decimal(0)
        assert payment_status == status(due, paid_amount), order_id
    assert min(Counter(row[4] for row in found).values()) > 5
    assert len({row[4] for row in found}) == 4


def test_each_payment_is_its_orders_or_an_unknown_ones_and_all_are_counted_once(
    small_shop: Build, money: Money
) -> None:
    found = small_shop.rows("select payment_id, order_id, source_order_id from core.payments")
    named = {row["payment_id"]: row["order_id"] for row in money.rows["raw_shop.payments"]}
    assert {payment: source for payment, _, source in found} == named
    assert {payment: order for payment, order, _ in found} == {
        payment: order if order in money.orders else "(unknown)" for payment, order in named.items()
    }
    unknown = small_shop.rows(
        "select payment_id, paid_amount from core.payments"
        " where order_id = '(unknown)' and paid_amount <> 0"
    )
    assert dict(unknown) == money.unknown_payments()


def test_differences_are_the_orders_that_are_not_paid_and_the_unknown_payments(
    small_shop: Build, money: Money
) -> None:
    found = small_shop.rows(
        "select order_id, payment_id, difference_amount from core.payment_differences"
    )
    counted = dict(small_shop.rows("select order_id, is_counted from core.orders"))
    worth, paid = money.order_amounts(), money.paid_amounts()
    expected = {
        (order_id, "(none)"): paid[order_id] - due
        for order_id, is_counted in counted.items()
        if paid[order_id] != (due := worth[order_id] if is_counted else Decimal(0))
    } | {("(unknown)", payment): amount for payment, amount in money.unknown_payments().items()}
    assert {(order, payment): amount for order, payment, amount in found} == expected
    reasons = small_shop.rows("select distinct reason from core.payment_differences order by 1")
    assert [reason for (reason,) in reasons] == [
        *("charged_back", "not_due", "overpaid", "partial", "pending", "unknown_order", "unpaid"),
    ]


def test_what_has_no_rate_is_in_no_mart_and_counted_and_a_late_rate_brings_it_back(
    small_shop: Build, streams: dict[str, list[Row]], tmp_path: Path
) -> None:
    shop = Build(tmp_path / "build.duckdb", tmp_path / "target", small_shop.as_of)
    shutil.copy(small_shop.database, shop.database)
    shop.target.mkdir()
    shutil.copy(small_shop.target / "partial_parse.msgpack", shop.target)
    order = streams["raw_shop.orders"][0]
    with shop.connect() as connection:
        connection.execute(
            "update raw_shop.orders set currency = 'CHF' where order_id = ?", [order["order_id"]]
        )
        connection.execute("update raw_shop.ad_spend set currency = 'SEK'")
    built(shop)
    assert shop.results()["test.commerce_warehouse.assert_every_amount_has_a_rate"] == "warn"
    assert shop.rows(
        "select id, currency from audit.assert_every_amount_has_a_rate where kind = 'order'"
    ) == [(order["order_id"], "CHF")]
    left_out = dict(shop.rows("from intermediate.int_meta__left_out"))
    assert left_out["orders without an exchange rate"] == 1
    assert left_out["bills of a campaign without an exchange rate"] == 5
    of_order = f"where order_id = '{order['order_id']}'"
    assert shop.rows(f"from core.order_lines {of_order}") == []
    assert shop.rows(f"from intermediate.int_core__orders {of_order}") == []
    assert shop.rows("select sum(spend) from campaign.activity_daily") == [(Decimal(0),)]

    rate = {"rate_date": order["ordered_at"].date(), "currency": "CHF", "rate": Decimal("0.5")}
    with shop.connect() as connection:
        insert(connection, "raw_shop.fx_rates", [rate])
    built(shop)
    source = source_totals(streams)[order["order_id"]]
    assert shop.rows(f"select gross_revenue from intermediate.int_core__orders {of_order}") == [
        (source / 2,)
    ]


def built(shop: Build) -> None:
    """Build what prices orders and bills, with the tests that are about these models alone."""
    models = [
        *("stg_shop__orders", "stg_campaign__spend", "stg_finance__fx_rates"),
        *("int_core__order_lines", "int_core__orders", "core__order_lines"),
        *("int_campaign__spend_daily", "int_campaign__activity_prints"),
        *("int_campaign__activity_daily", "campaign__activity_daily"),
        *("int_meta__unconverted", "int_meta__left_out"),
        *("path:models/intermediate/finance", "path:tests/finance", "path:tests/shop"),
    ]
    cautious = ("--indirect-selection", "cautious")
    ended = shop.dbt("build", "--select", *models, *cautious, *WITHOUT_UNIT_TESTS)
    assert ended.returncode == 0, ended.stdout
