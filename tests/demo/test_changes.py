"""What is written and deleted turns the rows of one state into those of another, and no more."""

from collections.abc import Mapping

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.changes import changes
from demo.tables import SHOP_TABLES, empty

SCHEMA = pa.schema([("product_id", pa.string()), ("on_hand", pa.int32())])
STOCK = st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.integers(0, 2))


def shop_of(stock: Mapping[str, int | None], **others: pa.Table) -> dict[str, pa.Table]:
    """Return a shop with this stock on hand, and nothing else but `others`."""
    rows = {table.name: empty(table) for table in SHOP_TABLES} | others
    columns = [list(stock.keys()), list(stock.values())]
    return rows | {"inventory": pa.table(columns, schema=SCHEMA)}


@settings(max_examples=30, deadline=None)
@given(old=STOCK, new=STOCK)
def test_deleting_and_writing_what_changed_makes_the_old_rows_the_new_ones(
    old: dict[str, int | None], new: dict[str, int | None]
) -> None:
    change = changes(shop_of(old), shop_of(new))["inventory"]

    gone = change.deleted.column("product_id").to_pylist()
    written = {row["product_id"]: row["on_hand"] for row in change.written.to_pylist()}
    assert {key: value for key, value in old.items() if key not in gone} | written == new
    assert not set(gone) & new.keys()
    assert all(key not in old or old[key] != value for key, value in written.items())


def test_rows_are_compared_by_all_columns_of_the_table_in_any_order() -> None:
    columns = {"rate_date": pa.array([20_000], pa.date32()), "currency": ["EUR"], "rate": ["0.9"]}
    old = pa.table(columns)
    same = pa.table({"note": ["not the table's"], **dict(reversed(columns.items()))})

    found = changes(shop_of({"a": 1}, fx_rates=old), shop_of({"a": 2}, fx_rates=same))

    assert [
        (name, change.written.to_pylist(), change.deleted.to_pylist())
        for name, change in found.items()
        if change.written.num_rows or change.deleted.num_rows
    ] == [("inventory", [{"product_id": "a", "on_hand": 2}], [])]
