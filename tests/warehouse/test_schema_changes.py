"""Every change of a raw column is a row, once, with the models that use the column."""

from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extractors.errors import SourceError
from extractors.package import Column, Manifest, PackageWriter, package_directory
from tests.warehouse.conftest import COLUMNS, NOON, MakePackage, write_part
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


@pytest.mark.parametrize(
    ("wide", "narrow", "value", "other"),
    [
        ("DECIMAL(18,4)", "DECIMAL(16,2)", Decimal("1.2345"), Decimal("2.50")),
        ("DECIMAL(18,4)", "INTEGER", Decimal("1.2345"), 7),
        ("BIGINT", "INTEGER", 2**40, 7),
        ("BIGINT", "INTEGER", 5, 7),
    ],
)
def test_a_cell_that_is_behind_takes_no_digit_from_the_values_of_another(
    wide: str,
    narrow: str,
    value: Any,
    other: Any,
    build: duckdb.DuckDBPyConnection,
    settings: Settings,
    load: Any,
) -> None:
    """As when the build database is made again: all packages of a cell, then those of the next."""
    for cell, kind, number in (("eu", wide, value), ("us", narrow, other)):
        columns = (KEY, Column("n", kind, "n", "numeric"))
        with PackageWriter(settings.landing, "s", cell, "t") as writer:
            path = writer.new_part()
            write_part(path, [("a", number)], columns)
            writer.add_part(path)
            manifest = writer.commit(
                mode="full",
                key=["id"],
                columns=columns,
                from_=None,
                to={"at": 1},
                source_position=1,
                complete_up_to=NOON,
            )
        load(manifest)
    rows = build.execute("SELECT _cell, n, typeof(n) FROM raw_s.t ORDER BY 1").fetchall()
    assert rows == [("eu", value, wide), ("us", other, wide)]
    assert [change[:2] for change in changes(build)] == [("n", "added")]


@pytest.mark.parametrize("kind", ["BIGINT", "DECIMAL(18,2)"])
def test_a_type_that_would_round_a_loaded_value_is_refused(
    kind: str, build: duckdb.DuckDBPyConnection, load: Any, make_package: MakePackage
) -> None:
    exact = Column("n", "DECIMAL(18,4)", "n", "numeric")
    load(make_package([("a", Decimal("1.2345"))], columns=[KEY, exact]))
    rounded = make_package([("a", 1)], columns=[KEY, Column("n", kind, "n", "numeric")], to=2)
    with pytest.raises(SourceError, match=r"are DECIMAL\(18,4\) and cannot become"):
        load(rounded)
    assert build.execute("SELECT n FROM raw_s.t").fetchall() == [(Decimal("1.2345"),)]
