"""The shop is a function of its state: what a later clock and real orders make of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from demo.content import Content
from demo.orders import OPENED
from demo.orders_file import read_lines
from demo.parameters import Parameters
from demo.state import MADE_NOW, Arguments, State, clock_after
from demo.tables import DYNAMODB_TABLES, SHOP_TABLES

PART = "part"
REAL = Arguments(orders="sha", clicks=None, scale=0.3, seed=1)
MADE = Arguments(orders=None, clicks=None, scale=0.1, seed=1)
OPENING = State(MADE_NOW, OPENED, ())


def nothing(part: str) -> pa.Table:
    raise AssertionError(part)


def rows_only_in(one: pa.Table, other: pa.Table) -> list[tuple[object, ...]]:
    """Return the rows of `one` that are not in `other`, compared by the columns of `one`."""
    names = ", ".join(one.column_names)
    with duckdb.connect() as connection:
        connection.register("one", one)
        connection.register("other", other)
        found = f"select {names} from one except all select {names} from other"
        return connection.execute(found).fetchall()


def whole(content: Content) -> dict[str, pa.Table]:
    return {**content.rows(), **content.items(), **content.truth()}


def test_the_same_state_is_the_same_shop_and_another_seed_another_one() -> None:
    one, same = whole(Content(MADE, OPENING, nothing)), whole(Content(MADE, OPENING, nothing))
    other = whole(Content(replace(MADE, seed=2), OPENING, nothing))

    assert [name for name, table in one.items() if not table.equals(same[name])] == []
    assert [name for name in DYNAMODB_TABLES if one[name].equals(other[name])] == []
    assert not one["order_lines"].equals(other["order_lines"])


def test_every_table_has_its_columns_and_rows() -> None:
    rows = Content(MADE, OPENING, nothing).rows()

    assert {name: tuple(table.column_names) for name, table in rows.items()} == {
        table.name: table.names for table in SHOP_TABLES
    }
    assert [name for name, table in rows.items() if table.num_rows == 0] == []


def test_parameters_decide_how_the_shop_is_made() -> None:
    parameters = Parameters.of({"duplicate_events": 0.5}, "test").as_dict()
    usual = Content(MADE, OPENING, nothing).items()["campaign_events"]
    twice = Content(replace(MADE, parameters=parameters), OPENING, nothing)

    assert twice.items()["campaign_events"].num_rows > 1.3 * usual.num_rows


def test_orders_of_a_file_are_added_to_a_made_up_shop(shared_data: Path) -> None:
    lines = read_lines(shared_data / "online_retail_2010-12-01_2011-08-31.parquet").slice(0, 500)
    before = Content(MADE, OPENING, nothing).rows()

    after = Content(MADE, replace(OPENING, parts=(PART,)), {PART: lines}.__getitem__).rows()

    for table in ("orders", "order_lines", "refunds", "users"):
        assert rows_only_in(before[table], after[table]) == [], table
    documents = set(lines.column("invoice_no").to_pylist())
    found = set(after["orders"].column("order_id").to_pylist())
    found |= set(after["refunds"].column("refund_document_id").to_pylist())
    assert documents <= found


def test_real_orders_stay_as_they_are_when_the_shop_lives_on(shared_data: Path) -> None:
    lines = read_lines(shared_data / "online_retail_2010-12-01_2011-08-31.parquet")
    lines = lines.slice(0, 60_000)
    now = clock_after(lines)
    assert now == datetime(2011, 1, 18, tzinfo=UTC)
    alone = Content(REAL, State(now, None, (PART,)), {PART: lines}.__getitem__).rows()
    lived = State(now + timedelta(days=30), now, (PART,))

    later = Content(REAL, lived, {PART: lines}.__getitem__).rows()

    assert alone["order_lines"].num_rows + alone["refunds"].num_rows == lines.num_rows
    assert rows_only_in(alone["order_lines"], later["order_lines"]) == []
    assert rows_only_in(alone["refunds"], later["refunds"]) == []
    # An account that is merged later hands its orders over; nothing else of them changes.
    kept = alone["orders"].drop_columns(["user_id"])
    assert rows_only_in(kept, later["orders"]) == []
    for table, time in (("orders", "ordered_at"), ("refunds", "refunded_at")):
        with duckdb.connect() as connection:
            connection.register("rows_now", later[table])
            connection.register("rows_then", alone[table])
            key = next(found.key[0] for found in SHOP_TABLES if found.name == table)
            new = f"from rows_now anti join rows_then using ({key})"
            counted = connection.execute(f"select count(*), min({time}) {new}").fetchone()
        assert counted is not None
        assert counted[0] > 20, table
        assert counted[1] >= now, table
