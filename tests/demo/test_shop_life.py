"""The shop's rows as a function of the clock: what has been stays, and what refers to it holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.changes import changes
from demo.history import History
from demo.orders import OPENED, history_of, rows_of
from demo.parameters import Parameters
from demo.scenarios import PREFIX
from demo.tables import SHOP_TABLES, empty
from tests.demo.lines import lines_of

DAYS = 150
SMALL = 0.05


@cache
def made(days: int, scale: float = SMALL) -> History:
    """Return the history of a made-up shop, `days` after its opening."""
    return history_of(None, None, OPENED + timedelta(days=days), OPENED, 1, scale, Parameters())


def at(history: History, now: datetime) -> dict[str, pa.Table]:
    """Return what a history shows at an earlier clock."""
    return rows_of(replace(history, now=now))


def broken(rows: dict[str, pa.Table]) -> list[str]:
    """Return a table's name per key that is there twice, table and column per broken reference."""
    queries: list[str] = []
    for table in SHOP_TABLES:
        if table.name not in rows:
            continue
        keys = ", ".join(table.key)
        queries.append(
            f"select '{table.name}' from {table.name} group by {keys} having count(*) > 1"
        )
        for column, other in table.references:
            if other in rows:
                (key,) = next(found.key for found in SHOP_TABLES if found.name == other)
                queries.append(
                    f"select '{table.name}.{column}' from {table.name}"
                    f" where {column} not in (select {key} from {other})"
                )
    with duckdb.connect() as connection:
        for name, table in rows.items():
            connection.register(name, table)
        return [name for (name,) in connection.sql(" union all ".join(queries)).fetchall()]


clocks = st.integers(0, DAYS * 24 * 60).map(lambda minutes: OPENED + timedelta(minutes=minutes))


@settings(max_examples=3, deadline=None)
@given(days=st.integers(0, DAYS - 1))
def test_a_later_clock_changes_nothing_of_what_was_shown_before(days: int) -> None:
    assert at(made(DAYS), OPENED + timedelta(days=days)) == rows_of(made(days))


@settings(max_examples=8, deadline=None)
@given(now=clocks)
def test_at_every_clock_keys_are_unique_and_references_hold(now: datetime) -> None:
    assert broken(at(made(DAYS), now)) == []


@settings(max_examples=5, deadline=None)
@given(now=clocks)
def test_at_every_clock_the_stock_is_the_sum_of_its_movements(now: datetime) -> None:
    rows = at(made(DAYS), now)

    summed = rows["inventory_movements"].group_by("product_id").aggregate([("quantity", "sum")])
    on_hand = dict(zip(*(column.to_pylist() for column in rows["inventory"].columns), strict=True))
    assert on_hand == {row["product_id"]: row["quantity_sum"] for row in summed.to_pylist()}


def test_tables_have_the_declared_columns_from_the_first_moment_on() -> None:
    rows = at(made(DAYS), OPENED - timedelta(days=400))

    declared = {table.name: empty(table).schema for table in SHOP_TABLES}
    assert {name: table.schema for name, table in rows.items()} == {
        name: schema for name, schema in declared.items() if name not in ("campaigns", "ad_spend")
    }
    assert sum(table.num_rows for table in rows.values()) == 0


def test_what_happens_in_a_month_is_more_than_new_orders() -> None:
    history = made(DAYS, 0.3)
    others = {table.name: empty(table) for table in SHOP_TABLES}
    days = [others | at(history, OPENED + timedelta(days=day)) for day in range(100, 131, 3)]

    seen: dict[str, set[str]] = {"added": set(), "changed": set(), "removed": set()}
    for before, after in pairwise(days):
        for name, change in changes(before, after).items():
            more = after[name].num_rows - before[name].num_rows + change.deleted.num_rows
            counts = {
                "added": more,
                "changed": change.written.num_rows - more,
                "removed": change.deleted.num_rows,
            }
            for kind, count in counts.items():
                if count:
                    seen[kind].add(name)
    assert seen["added"] >= {
        *("users", "addresses", "product_prices", "inventory_movements", "fx_rates"),
        *("orders", "order_lines", "refunds", "payments"),
    }
    assert seen["changed"] >= {
        *("users", "addresses", "products", "inventory"),
        *("orders", "order_lines", "refunds", "payments"),
    }
    assert seen["removed"] == {"addresses", "orders", "order_lines", "payments"}


def test_no_made_up_order_holds_an_article_that_is_sold_out_or_not_on_sale() -> None:
    history = made(DAYS, 0.3)

    with duckdb.connect() as connection:
        connection.register("outs", history.stock_outs)
        connection.register("orders", history.orders)
        connection.register("lines", history.order_lines)
        connection.register("products", history.life["products"])
        counts = connection.sql(
            """
            select
                count(*) filter (ordered_at between from_at and to_at - interval 1 second),
                count(*) filter (ordered_at < created_at or ordered_at >= ended_at),
                count(distinct outs.product_id) > 5,
                count(ended_at) > 0
            from lines
            inner join orders using (order_id)
            inner join products using (product_id)
            left join outs on outs.product_id = upper(products.product_id)
            where quantity > 0
            """
        ).fetchall()
    assert counts == [(0, 0, True, True)]


def test_prices_of_lines_follow_the_price_list_in_force() -> None:
    history = made(DAYS, 0.3)

    with duckdb.connect() as connection:
        connection.register("orders", history.life["orders"])
        connection.register("lines", history.life["order_lines"])
        connection.register("prices", history.prices)
        found = connection.sql(
            """
            select
                count(*) > 3000,
                count(*) filter (line.unit_price not in (0, price.price)),
                count(distinct (line.product_id, line.unit_price))
                > count(distinct line.product_id) * 1.2
            from lines as line
            inner join orders as ordered using (order_id)
            asof join prices as price
                on line.product_id = price.product_id
                and ordered.ordered_at >= price.valid_from
            where ordered.currency = 'GBP' and line.quantity between 1 and 23
                and regexp_matches(line.product_id, '^[0-9]{5}')
            """
        ).fetchall()
    assert found == [(True, 0, True)]


REAL = lines_of(
    "1  | 10001 | mug  | 2  | 2011-01-05 10:00 | 1.5 | 7",
    "1  | 10002 | bag  | 1  | 2011-01-05 10:00 | 4   | 7",
    "2  | 10001 | mug  | 30 | 2011-01-06 12:00 | 1.5 | 8",
    "C3 | 10001 | mug  | -2 | 2011-01-07 12:00 | 1.5 | 7",
)
CLOCK = datetime(2011, 1, 8, tzinfo=UTC)


def test_among_real_orders_nothing_is_made_up_before_the_clock_is_advanced() -> None:
    history = history_of(REAL, REAL, CLOCK, None, 1, 1, Parameters())
    rows = rows_of(history)

    assert rows["orders"].column("order_id").to_pylist() == ["1", "2"]
    assert history.orders.num_rows == 2
    assert history.merges.num_rows == history.stock_outs.num_rows == history.pairs.num_rows == 0
    assert (
        rows["product_prices"].column("price").to_pylist()
        == rows["products"].column("list_price").to_pylist()
    )
    assert {row["kind"] for row in rows["inventory_movements"].to_pylist()} == {
        "receipt",
        "sale",
        "return",
    }


def test_advanced_real_shops_keep_their_orders_and_add_made_up_ones_to_them() -> None:
    first = rows_of(history_of(REAL, REAL, CLOCK, None, 1, 1, Parameters()))
    later = CLOCK + timedelta(days=30)
    history = history_of(REAL, REAL, later, CLOCK, 1, 1, Parameters())
    rows = rows_of(history)

    real = rows["orders"].slice(0, 2).drop_columns(["user_id"])
    assert real == first["orders"].drop_columns(["user_id"])
    assert rows["orders"].num_rows > 400
    users = {user for user in rows["orders"].column("user_id").to_pylist() if user}
    assert {user for user in users if not user.startswith(PREFIX)} == {"7", "8"}
    assert at(history, CLOCK) == first


def test_further_real_orders_change_no_made_up_one() -> None:
    more = pa.concat_tables([REAL, lines_of("9 | 10003 | tin | 1 | 2011-01-20 09:00 | 3 | 9")])
    later = CLOCK + timedelta(days=30)

    before = history_of(REAL, REAL, later, CLOCK, 1, 1, Parameters())
    after = history_of(more.combine_chunks(), REAL, later, CLOCK, 1, 1, Parameters())

    for table in ("orders", "order_lines"):
        old, new = (getattr(history, table).to_pylist() for history in (before, after))
        assert [row for row in new if row["order_id"] != "9"] == old


def test_real_orders_in_a_made_up_shop_keep_their_numbers_customers_and_codes() -> None:
    lines = lines_of(
        "600003 | 20001 | mug | 2  | 2026-02-20 10:00 | 1.5 | 12001",  # all of them made up too
        "X1     | 20008 | bag | 1  | 2026-02-20 10:00 | 4   | 12020",
        "C9     | POST  | p   | -1 | 2026-02-20 10:00 | 4   | 777",
    )
    now = OPENED + timedelta(days=60)

    rows = rows_of(history_of(lines, None, now, OPENED, 1, SMALL, Parameters()))

    assert broken(rows) == []
    given = {
        row["order_line_id"]: (row["product_id"], row["unit_price"])
        for row in rows["order_lines"].to_pylist()
        if row["order_id"] in {"600003", "X1"}
    }
    assert given == {"600003-1": ("20001", 1.5), "X1-1": ("20008", 4)}
    before = {row["user_id"]: row["created_at"] for row in rows_of(made(60))["users"].to_pylist()}
    after = {row["user_id"]: row["created_at"] for row in rows["users"].to_pylist()}
    assert before.items() <= after.items()
    assert after.keys() - before.keys() == {"777", "12020"} - before.keys()


@pytest.mark.parametrize("scale", [0.01, 0.05])
def test_the_smallest_shops_open_too(scale: float) -> None:
    assert rows_of(made(40, scale))["products"].num_rows >= 20


def test_another_seed_makes_another_shop() -> None:
    one, other = (
        history_of(None, None, OPENED, OPENED, seed, SMALL, Parameters()) for seed in (1, 2)
    )

    assert one.orders != other.orders
    assert one.prices != other.prices
