"""The answer file appears whole or not at all."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from demo import truth


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(path, read_only=True) as connection:
        return connection.sql(query).fetchall()


def test_every_table_is_there_with_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "truth.duckdb"

    truth.write(path, {"orders": pa.table({"order_id": ["a"]}), "events": pa.table({"n": [1, 2]})})

    assert rows(path, "from orders") == [("a",)]
    assert rows(path, "from events order by n") == [(1,), (2,)]


def test_new_answers_replace_the_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "truth.duckdb"
    for tables in (
        {"orders": pa.table({"n": [1]}), "gone": pa.table({"n": [1]})},
        {"orders": pa.table({"n": [2]})},
    ):
        truth.write(path, tables)

    assert rows(path, "from orders") == [(2,)]
    assert rows(path, "select table_name from duckdb_tables()") == [("orders",)]


def test_a_writer_that_fails_leaves_the_old_answers_and_the_next_one_succeeds(
    tmp_path: Path,
) -> None:
    path = tmp_path / "truth.duckdb"
    truth.write(path, {"orders": pa.table({"n": [1]})})

    with pytest.raises(duckdb.Error):
        truth.write(path, {"orders": pa.table({"n": [2]}), "Orders": pa.table({"n": [2]})})
    assert rows(path, "from orders") == [(1,)]

    truth.write(path, {"orders": pa.table({"n": [3]})})
    assert rows(path, "from orders") == [(3,)]
    assert [file.name for file in tmp_path.iterdir()] == ["truth.duckdb"]
