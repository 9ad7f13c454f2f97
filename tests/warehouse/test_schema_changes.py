"""Every change of a raw column is a row, once, with the models that use the column."""

from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extractors.errors import SourceError
from extractors.package import Column, Manifest, PackageWriter, package_directory
from tests.warehouse.conftest import COLUMNS, NOON, MakePackage
from warehouse.config import Settings
from warehouse.engines import duckdb_raw
from warehouse.load import replay, schema_changes
from warehouse.load.package import LoadRules

RULES = LoadRules(
    models_using=lambda source, entity, column: [f"stg_{source}", f"{entity}_{column}"]
)
KEY, N = COLUMNS
TEXT = Column("n", "VARCHAR", "N", "text")


@pytest.fixture
def load(build: duckdb.DuckDBPyConnection, settings: Settings) -> Any:
    def run(manifest: Manifest) -> None:
        directory = package_directory(settings.landing, manifest)
        replay.load_or_reject(
            build, settings.landing, manifest, directory, run_id="run", rules=RULES
        )

    return run


def changes(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT column_name, change, old_type, new_type, models FROM meta.schema_changes"
        " WHERE NOT (change = 'added' AND column_name = 'id') ORDER BY changed_at"
    ).fetchall()


def test_a_column_that_the_source_drops_is_removed_once_and_returns_once(
    build: duckdb.DuckDBPyConnection, load: Any, make_package: MakePackage
) -> None:
    load(make_package([("a", 1)]))
    load(make_package([("a",)], columns=[KEY], to=2))
    load(make_package([("a",), ("b",)], columns=[KEY], to=3))
    load(make_package([("a", 2)], to=4))
    load(make_package([("a", "x")], columns=[KEY, TEXT], to=5))
    models = "stg_s, t_n"
    assert changes(build) == [
        ("n", "added", None, "INTEGER", models),
        ("n", "removed", "INTEGER", None, models),
        ("n", "returned", None, "INTEGER", models),
        ("n", "widened", "INTEGER", "VARCHAR", models),
    ]


def test_a_column_is_removed_when_no_cell_has_it_any_more(
    build: duckdb.DuckDBPyConnection, load: Any, settings: Settings
) -> None:
    def land(cell: str, *columns: Column, to: int) -> None:
        with PackageWriter(settings.landing, "s", cell, "t") as writer:
            path = writer.new_part()
            pq.write_table(pa.table({column.name: ["1"] for column in columns}), path)
            writer.add_part(path)
            manifest = writer.commit(
                mode="full",
                key=["id"],
                columns=columns,
                from_=None,
                to={"at": to},
                source_position=to,
                complete_up_to=NOON,
            )
        load(manifest)

    for to in (1, 2):
        land("eu", KEY, TEXT, to=to)
        land("us", KEY, to=to)
    assert [change[:2] for change in changes(build)] == [("n", "added")]
    land("us", KEY, TEXT, to=3)
    land("eu", KEY, to=3)
    assert [change[:2] for change in changes(build)] == [("n", "added")]
    land("us", KEY, to=4)
    land("us", KEY, to=5)
    assert [change[:2] for change in changes(build)] == [("n", "added"), ("n", "removed")]


def test_a_type_that_is_refused_is_told_too_and_counts_until_a_run_succeeds(
    build: duckdb.DuckDBPyConnection, load: Any, make_package: MakePackage
) -> None:
    load(make_package([("a", 987654321)]))
    with pytest.raises(SourceError, match="cannot become DATE"):
        load(make_package([], columns=[KEY, Column("n", "DATE", "n", "date")], to=2))
    assert changes(build)[1:] == [("n", "refused", "INTEGER", "DATE", "stg_s, t_n")]
    (change,) = schema_changes.since_last_success(build)
    assert (change.table, change.source_name, change.change) == ("t", "n", "refused")
    build.execute("INSERT INTO meta.runs VALUES ('r', NULL, now(), now(), 'succeeded')")
    assert schema_changes.since_last_success(build) == []
    assert duckdb_raw.columns_of(build, "raw_s", "t")["n"] == "INTEGER"
