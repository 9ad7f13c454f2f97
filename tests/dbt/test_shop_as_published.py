"""Stock, prices and people in the demo's marts are those of its own database."""

from collections.abc import Iterator

import duckdb
import pytest

from tests.shops import Shop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def marts(demo_shop: Shop) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to the published version, with the raw tables beside it as `build`."""
    with duckdb.connect(str(demo_shop.published), read_only=True) as connection:
        database = demo_shop.directory / "var" / "build.duckdb"
        connection.execute(f"attach '{database}' as build (read_only)")
        yield connection


def test_stock_and_prices_at_as_of_are_what_the_shop_says_of_them(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    """The marts take them from the dated tables, the shop keeps the sums and the current prices."""
    counted, differing = marts.sql(
        "select count(*), count(*) filter (where products.on_hand is distinct from shop.on_hand)"
        " from build.raw_shop.inventory as shop left join core.products using (product_id)"
    ).fetchall()[0]
    assert (counted > 50, differing) == (True, 0)
    closing = marts.sql(
        "select product_id, on_hand from core.inventory_daily"
        " qualify inventory_date = max(inventory_date) over () order by all"
    ).fetchall()
    assert (
        closing
        == marts.sql(
            "select product_id, on_hand from core.products where on_hand is not null order by all"
        ).fetchall()
    )
    assert (
        marts.sql(
            "select product_id, current_price, list_price"
            " from core.products join build.raw_shop.products as shop using (product_id)"
            " where currency = 'GBP' and current_price <> list_price"
        ).fetchall()
        == []
    )


def test_merged_accounts_are_nobody_and_their_orders_and_visits_are_the_survivors(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    merged = "(select user_id from build.raw_shop.users where merged_into is not null)"
    facts = ("customers", "orders", "refunds", "sessions")
    found = {
        table: marts.sql(
            f"select count(*) from core.{table} where customer_id in {merged}"
        ).fetchall()[0][0]
        for table in facts
    }
    assert found == dict.fromkeys(facts, 0)
    # they did visit under their own names
    assert marts.sql(
        f"select count(*) > 0 from build.raw_activity.product_events where customer_id in {merged}"
    ).fetchall() == [(True,)]


# raw table of events -> its key, and the columns that name a row of the shop
NAMES = {
    "campaign_events": ("event_id", {"customer_id": "users", "campaign_id": "campaigns"}),
    "product_events": ("event_id", {"customer_id": "users", "product_id": "products"}),
    "searches": ("search_id", {"customer_id": "users", "clicked_product_id": "products"}),
    "cart_events": ("event_id", {"customer_id": "users", "product_id": "products"}),
    "affiliate_clicks": (
        "click_id",
        {"customer_id": "users", "product_id": "products", "affiliate_id": "affiliates"},
    ),
}


def test_marts_are_complete_up_to_as_of_and_count_the_events_that_name_what_the_shop_has_not(
    marts: duckdb.DuckDBPyConnection, demo_shop: Shop
) -> None:
    unmatched = 0
    for table, (key, columns) in NAMES.items():
        unknown = " or ".join(
            f"(e.{column} <> '' and e.{column} not in"
            f" (select {parent.removesuffix('s')}_id from build.raw_shop.{parent}))"
            for column, parent in columns.items()
        )
        [(rows,)] = marts.sql(
            f"select count(distinct {key}) from build.raw_activity.{table} as e where {unknown}"
        ).fetchall()
        unmatched += rows
    found = marts.execute(
        "select mart, complete_up_to = ?::timestamptz and is_complete, unmatched_rows"
        " from meta.freshness where mart in ('core.orders', 'core.sessions') order by mart",
        [demo_shop.current()["as_of"]],
    ).fetchall()
    assert found == [("core.orders", True, 0), ("core.sessions", True, unmatched)]
