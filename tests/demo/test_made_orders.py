"""The made-up orders have the figures and the oddities of real ones."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from demo.orders import OPENED, history_of, rows_of
from demo.parameters import Parameters
from demo.scenarios import PREFIX

NOW = OPENED + timedelta(days=90)
PLANNED = f"starts_with(coalesce(user_id, ''), '{PREFIX}')"


@pytest.fixture(scope="module")
def shop() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a shop of scale 5: `rows` at the clock, and `life` that is not cut at it."""
    history = history_of(None, None, NOW, OPENED, 1, 5, Parameters())
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'Europe/London'")
        for name, table in rows_of(history).items():
            connection.register(name, table)
        for name, table in history.life.items():
            connection.register(f"all_{name}", table)
        connection.register("pairs", history.pairs)
        yield connection


def only(shop: duckdb.DuckDBPyConnection, query: str) -> Any:
    """Return the only value of a query."""
    ((value,),) = shop.sql(query).fetchall()
    return value


@pytest.mark.parametrize(
    ("query", "lowest", "highest"),
    [
        # As many as scale 5 stands for.
        (f"select count(*) from orders where not {PLANNED}", 9_600, 10_200),
        (f"select count(*) from users where not {PLANNED}", 1_450, 1_550),
        # Cancelled invoices and their value, those of the months to come included.
        (
            """
            select count(distinct refund_document_id)
                / (count(distinct refund_document_id) + (select count(*) from all_orders))
            from all_refunds
            """,
            0.138,
            0.158,
        ),
        (
            """
            select sum(amount) / (
                select sum(quantity * unit_price) from all_order_lines where quantity > 0
            )
            from all_refunds
            """,
            0.074,
            0.094,
        ),
        (
            "select count(*) / (select count(*) from refunds) from refunds where order_id is null",
            0.44,
            0.56,
        ),
        ("select avg(cast(currency = 'EUR' as integer)) from orders", 0.065, 0.095),
        ("select avg(cast(coupon_code is not null as integer)) from orders", 0.033, 0.047),
        (
            "select count(*) filter (status = 'cancelled') / count(*) from orders",
            0.006,
            0.014,
        ),
        ("select count(*) filter (user_id is null) / count(*) from orders", 0.17, 0.27),
        (
            f"""
            select count(*) / (select count(*) from users)
            from users anti join orders using (user_id) where not {PLANNED}
            """,
            0.05,
            0.17,
        ),
        ("select count(*) filter (merged_into is not null) / count(*) from users", 0.006, 0.02),
        # Nobody waits for the payment of an adjustment, of a bad debt or of the stock.
        (
            """
            select count(*) filter (status <> 'shipped') from (
                select status from orders inner join order_lines using (order_id)
                group by order_id, status having sum(quantity * unit_price) <= 0
            )
            """,
            0,
            0,
        ),
        # No order on a Saturday, most of a day at noon.
        ("select count(*) filter (isodow(ordered_at) = 6) from orders", 0, 0),
        ("select mode(hour(ordered_at)) from orders", 12, 12),
        # Deliveries come often enough.
        (
            """
            select count(*) filter (on_hand < 0) / count(*) from (
                select sum(quantity) over (partition by product_id order by moved_at) as on_hand
                from inventory_movements
            )
            """,
            0,
            0.03,
        ),
    ],
)
def test_figures_are_those_of_the_parameters(
    shop: duckdb.DuckDBPyConnection, query: str, lowest: float, highest: float
) -> None:
    assert lowest <= only(shop, query) <= highest


def test_popularity_falls_with_the_rank_and_a_tenth_of_the_codes_is_in_44_percent_of_lines(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    slope, share = shop.sql(
        """
        with sold as (
            select count(*) as n, row_number() over (order by count(*) desc, product_id) as place
            from order_lines
            where regexp_matches(product_id, '^[0-9]{5}')
            group by product_id
        )

        select
            regr_slope(ln(n), ln(place)) filter (place between 10 and 200),
            sum(n) filter (place <= (select count(*) from sold) / 10) / sum(n)
        from sold
        """
    ).fetchall()[0]
    assert -0.8 <= slope <= -0.6
    assert 0.40 <= share <= 0.48


def test_cancellations_come_9_days_later_in_the_middle_and_72_for_one_in_ten(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    days = shop.sql(
        """
        select unnest(quantile_cont(days, [0.5, 0.75, 0.9])) from (
            select min(epoch(refunded_at) - epoch(ordered_at)) / 86400 as days
            from all_refunds inner join all_orders using (order_id)
            group by refund_document_id
        )
        """
    ).fetchall()
    assert [value for (value,) in days] == [
        pytest.approx(9, rel=0.15),
        pytest.approx(30, rel=0.15),
        pytest.approx(72, rel=0.15),
    ]


def test_a_planted_pairs_second_is_in_most_orders_of_its_first(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    with_both, with_first = shop.sql(
        """
        with bought as (
            select distinct order_id, upper(product_id) as product_id from order_lines
        )

        select count(other.order_id), count(*)
        from pairs
        inner join bought as first on pairs.product_id = first.product_id
        left join bought as other
            on first.order_id = other.order_id and pairs.other_product_id = other.product_id
        """
    ).fetchall()[0]
    assert only(shop, "select count(*) from pairs") == 12
    assert 0.57 <= with_both / with_first <= 0.66


def test_it_has_the_oddities_of_the_real_data(shop: duckdb.DuckDBPyConnection) -> None:
    found = shop.sql(
        """
        select
            count(*) filter (product_id in ('POST', 'DOT', 'M', 'BANK CHARGES')),
            count(*) filter (product_id <> upper(product_id)),
            count(*) filter (unit_price = 0 and quantity < 0),
            count(*) filter (unit_price * 100 <> floor(unit_price * 100)),
            count(*) filter (product_id = 'B' and starts_with(order_id, 'A')),
            count(*) filter (product_id = 'D' and quantity = -1),
            count(*) - count(distinct (order_id, product_id, quantity, unit_price)),
            count(*) filter (entered_at > ordered_at)
        from order_lines inner join orders using (order_id)
        """
    ).fetchall()[0]
    assert min(found) > 0


def test_a_coupon_takes_10_percent_off_in_a_line_of_its_own(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    wrong, right = shop.sql(
        """
        with summed as (
            select
                sum(quantity * unit_price) filter (
                    regexp_matches(product_id, '^[0-9]{5}')
                ) as goods,
                sum(quantity * unit_price) filter (product_id = 'D') as discount
            from all_order_lines inner join all_orders using (order_id)
            where coupon_code is not null
            group by order_id
            -- A line that stands twice was doubled after the discount.
            having count(*) = count(distinct (product_id, quantity))
        )

        select
            count(*) filter (abs(goods / 10 + discount) > 0.006), count(*) from summed
        """
    ).fetchall()[0]
    assert (wrong, right > 300) == (0, True)


def test_what_is_paid_is_what_was_ordered_but_for_the_planted_differences(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shares = shop.sql(
        """
        with orders_of as (
            select order_id, sum(quantity * unit_price) as total
            from all_order_lines inner join all_orders using (order_id)
            where is_sale and cancelled_at is null
            group by order_id having total > 0
        ),

        paid as (
            select order_id, sum(amount) as amount, count(*) as parts
            from all_payments where kind = 'payment' and status = 'settled' group by order_id
        )

        select
            avg(cast(coalesce(paid.amount, 0) = total as integer)),
            avg(cast(paid.amount is null as integer)),
            avg(cast(paid.amount > total as integer)),
            avg(cast(coalesce(paid.parts = 2, false) as integer))
        from orders_of left join paid using (order_id)
        """
    ).fetchall()[0]
    assert shares == (
        pytest.approx(0.98, abs=0.005),
        pytest.approx(0.015, abs=0.004),
        pytest.approx(0.005, abs=0.0025),
        pytest.approx(0.02, abs=0.005),
    )


def test_parameters_can_turn_everything_off() -> None:
    none = replace(
        Parameters(),
        cancelled_invoices=0.0,
        euro_orders=0.0,
        coupon_orders=0.0,
        merged_customers=0.0,
        unpaid_orders=0.0,
        product_pairs=0,
        closed_weekday=7,
    )
    history = history_of(None, None, NOW, OPENED, 1, 0.2, none)
    rows = rows_of(history)

    days = {at.isoweekday() for at in rows["orders"].column("ordered_at").to_pylist()}
    made = history.orders.filter(history.orders.column("is_made"))
    assert days == {1, 2, 3, 4, 5, 6, 7}
    assert set(made.column("coupon_code").to_pylist()) == {None}
    assert set(rows["orders"].column("currency").to_pylist()) == {"GBP"}
    assert rows["refunds"].num_rows == history.pairs.num_rows == history.merges.num_rows == 0


def test_an_order_comes_when_its_number_says() -> None:
    shorter, longer = (
        history_of(None, None, OPENED + timedelta(days=days), OPENED, 1, 0.2, Parameters())
        for days in (10, 11)
    )

    before = shorter.orders.num_rows
    old = set(map(str, shorter.orders.to_pylist()))
    new = set(map(str, longer.orders.to_pylist()))
    assert old < new
    assert len(new) - before <= 2 * 0.2 * 2000 / 77
