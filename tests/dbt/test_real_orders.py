"""The real orders keep every line and every cent through all layers."""

import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from tests.dbt import pair_reference
from tests.dbt.attribution_reference import MODELS
from tests.dbt.build import Build
from tests.dbt.programme import Programme, at
from tests.shops import Shop
from warehouse.ledger import due

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def real_orders(real_shop: Shop) -> Build:
    """Return what a whole run of the shop of the real orders built."""
    home = real_shop.directory / "var"
    return Build(home / "build.duckdb", home / "dbt" / "target", "2011-09-01T00:00:00Z")


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> dict[str, Any]:
    document = json.loads((shared_data / "facts_developers.json").read_text(encoding="utf-8"))
    return document["online_retail"]


def test_lines_refunds_and_money_equal_the_files_own(
    real_orders: Build, facts: dict[str, Any]
) -> None:
    assert real_orders.rows(
        "select (select count(*) from core.order_lines) + (select count(*) from core.refunds),"
        " (select sum(line_amount) from core.order_lines) - (select sum(amount) from core.refunds)"
    ) == [(facts["lines"], Decimal(facts["net"]))]


def test_orders_and_refund_documents_are_the_invoices(
    real_orders: Build, facts: dict[str, Any]
) -> None:
    [(orders, documents)] = real_orders.rows(
        "select (select count(*) from core.orders),"
        " (select count(distinct refund_document_id) from core.refunds)"
    )
    assert documents == facts["cancelled_invoices"]
    assert orders + documents == facts["invoices"]


def test_adjustments_are_kept_apart_from_sales(real_orders: Build) -> None:
    found = real_orders.rows(
        "select order_kind, count(*), sum(gross_revenue) from core.orders group by 1 order by 1"
    )
    assert found == [
        ("adjustment", 1409, Decimal("-11062.06")),
        ("sale", 12496, Decimal("6293764.002")),
    ]


def test_customers_are_all_there_with_those_who_only_cancelled(
    real_orders: Build, facts: dict[str, Any]
) -> None:
    assert real_orders.rows(
        "select count(*), count(case when order_count = 0 then 1 end) from core.customers"
    ) == [(facts["customers"], 43)]
    top = {one["CustomerID"]: Decimal(one["net"]) for one in facts["top10_customers_by_net"]}
    found = real_orders.rows("select customer_id, net_revenue from core.customers")
    assert {customer: net for customer, net in found if customer in top} == top


def test_each_month_equals_the_files_own(real_orders: Build, facts: dict[str, Any]) -> None:
    totals = real_orders.rows(
        "select strftime(report_date, '%Y-%m'), sum(line_count + refund_line_count)::bigint,"
        " sum(net_revenue) from core.daily_totals group by 1"
    )
    documents = real_orders.rows(
        """
        select strftime(day, '%Y-%m'), count(distinct document), count(distinct customer_id)
        from (
            select order_date as day, order_id as document, customer_id from core.orders
            union all
            select refund_date, refund_document_id, customer_id from core.refunds
        ) group by 1
        """
    )
    invoices = {month: (count, customers) for month, count, customers in documents}
    assert {month: (lines, *invoices[month], net) for month, lines, net in totals} == {
        month: (one["lines"], one["invoices"], one["customers"], Decimal(one["net"]))
        for month, one in facts["per_month"].items()
    }


def test_each_country_equals_the_files_own(real_orders: Build, facts: dict[str, Any]) -> None:
    found = real_orders.rows(
        "select country, sum(line_count + refund_line_count)::bigint, sum(net_revenue)"
        " from core.daily_totals group by 1"
    )
    assert len(found) == facts["countries"]
    expected = {
        (one["Country"], one["lines"], Decimal(one["net"]))
        for one in facts["per_country_top10_by_net"]
    }
    assert expected <= set(found)


def test_products_subtract_all_their_refunds(real_orders: Build, facts: dict[str, Any]) -> None:
    found = dict(real_orders.rows("select product_id, net_revenue from core.products"))
    assert len(found) == facts["stock_codes"]
    for one in facts["top10_stock_codes_by_net"]:
        assert found[one["StockCode"]] == Decimal(one["net"])


def test_the_most_frequent_pairs_equal_the_files_own(
    real_orders: Build, facts: dict[str, Any]
) -> None:
    pairs = {(one["a"], one["b"]): one["invoices"] for one in facts["top10_pairs_in_same_invoice"]}
    found = real_orders.rows(
        "select product_id, other_product_id, n_ab from recommendation.product_pairs"
        " where kind = 'co_purchase'"
    )
    assert {(a, b): n for a, b, n in found if (a, b) in pairs} == pairs


def test_all_pairs_equal_a_product_of_matrices_and_measures_of_60_digits(
    real_orders: Build,
) -> None:
    bought = real_orders.rows(
        "select distinct order_id, product_id from core.order_lines"
        " inner join core.orders using (order_id)"
        " where is_counted and line_kind = 'product' and quantity > 0 and unit_price > 0"
    )
    orders, row = np.unique([order for order, _ in bought], return_inverse=True)
    products, column = np.unique([product for _, product in bought], return_inverse=True)
    baskets = sparse.coo_array((np.ones(len(bought), np.int64), (row, column))).tocsr()
    together = sparse.triu(baskets.T @ baskets, k=1).tocoo()
    enough = together.data >= min(10, len(orders) / 1000)
    first, second = (products[index[enough]] for index in (together.row, together.col))
    single = baskets.sum(axis=0)
    expected = dict(
        zip(
            zip(first.tolist(), second.tolist(), strict=True),
            zip(
                single[together.row[enough]].tolist(),
                single[together.col[enough]].tolist(),
                together.data[enough].tolist(),
                strict=True,
            ),
            strict=True,
        )
    )
    names = ("support", "confidence", "lift", "cosine", "jaccard", "npmi", "llr")
    found = {
        (row[0], row[1]): row[2:]
        for row in real_orders.rows(
            f"select product_id, other_product_id, n_a, n_b, n_ab, n, {', '.join(names)}"
            " from recommendation.product_pairs"
            " where kind = 'co_purchase' and product_id < other_product_id"
        )
    }
    assert {pair: row[:3] for pair, row in found.items()} == expected
    for n_a, n_b, n_ab, n, *values in list(found.values())[::200]:
        assert n == len(orders)
        assert dict(zip(names, values, strict=True)) == pytest.approx(
            pair_reference.measures(n_a, n_b, n_ab, n), rel=1e-12, abs=1e-30
        )
    assert len(found) > 300_000


def test_the_solver_says_nothing_else_when_it_reads_all_lines(real_orders: Build) -> None:
    assert real_orders.rows(
        "select match_rule, count(*), sum(amount) from core.refund_allocations"
        " group by 1 order by 1"
    ) == [
        ("exact_quantity", 1618, Decimal("156338.45")),
        ("latest_with_quantity_left", 2717, Decimal("36317.95")),
        ("unmatched", 1583, Decimal("328114.16")),
    ]


def test_each_model_attributes_the_real_orders_to_the_cent(real_orders: Build) -> None:
    found = real_orders.rows(
        "select model, count(distinct order_id), sum(credit), sum(attributed_revenue),"
        " sum(attributed_net_revenue) from campaign.attribution group by 1"
    )
    [counted] = real_orders.rows(
        "select count(*), count(*), sum(gross_revenue), sum(net_revenue) from core.orders"
        " where is_counted"
    )
    assert {model: tuple(figures) for model, *figures in found} == dict.fromkeys(MODELS, counted)


def test_commissions_of_a_flat_plan_are_the_rate_of_what_was_sold_and_kept_line_by_line(
    real_orders: Build,
) -> None:
    """Each customer clicked once, before the first order; 10 % for ever, in the orders' pounds."""
    core = ("order_lines", "orders", "refunds", "customer_aliases")
    shop = Programme(
        real_orders,
        filled=(
            *(f"intermediate.int_core__{name}" for name in core),
            *("intermediate.int_finance__order_rates", "staging.stg_shop__products"),
        ),
    )
    shop.rule("base_less_discounts", "false")
    connection = shop.connection
    connection.execute(
        "update staging.stg_affiliate__affiliates set joined_at = '2009-01-01 00:00:00+00';"
        "update staging.stg_affiliate__commission_plans"
        " set window_days = 3650, valid_from = '2009-01-01 00:00:00+00';"
        # the file does not say what is commissionable
        "update staging.stg_shop__products set is_commissionable = not ends_with(product_id, 'B');"
        "insert into intermediate.int_affiliate__judged_clicks by name"
        " select customer_id as click_id, 'a1' as affiliate_id, customer_id, 'valid' as validity,"
        " min(ordered_at) - interval '1 minute' as occurred_at"
        " from intermediate.int_core__orders where customer_id is not null group by customer_id"
    )
    commissions = shop.commissions()
    connection.execute(f"attach '{real_orders.database}' as source (read_only)")
    due.write(
        connection,
        into="due",
        commissions="intermediate.int_affiliate__commissions",
        allocations="source.solved.refund_allocations",
        refunds="intermediate.int_core__refunds",
        payments="staging.stg_billing__payments",
        decisions="ledger.decisions",
        as_of=at("09-01 00:00"),
    )
    found = dict(
        connection.execute("select order_line_id, sum(amount) from due group by 1").fetchall()
    )
    sold = connection.execute(
        "select order_line_id, lines.line_amount, coalesce(refunded.amount, 0)"
        " from intermediate.int_core__order_lines as lines"
        " join intermediate.int_core__orders as orders using (order_id)"
        " join staging.stg_shop__products as products on lines.product_id = products.product_id"
        " left join (select order_line_id, sum(amount) as amount"
        " from source.solved.refund_allocations group by all) as refunded using (order_line_id)"
        " where line_kind = 'product' and lines.customer_id is not null"
        " and orders.status <> 'cancelled' and is_commissionable"
    ).fetchall()
    connection.close()
    tenth, cent = Decimal("0.1"), Decimal("0.01")

    def share(amount: Decimal) -> Decimal:
        return max(amount * tenth, Decimal(0)).quantize(cent, ROUND_HALF_UP)

    earning = {line: row for line, row in commissions.items() if row["reason"] is None}
    assert {line: row["commission_amount"] for line, row in earning.items()} == {
        line: share(amount) for line, amount, _ in sold
    }
    assert found == {
        line: share(amount - refunded)
        for line, amount, refunded in sold
        if share(amount) or line in found
    }
    back = [(line, amount) for line, amount, refunded in sold if 0 < amount == refunded]
    assert len(back) > 1000
    assert {found[line] for line, amount in back if share(amount)} == {Decimal(0)}
    assert len(sold) > 200_000
