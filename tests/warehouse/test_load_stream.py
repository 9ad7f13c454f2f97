"""A package of changes does what its changes would do one after the other."""

from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from extractors.errors import SourceError
from extractors.package import Column, Manifest
from tests.warehouse.conftest import COLUMNS, MakePackage, raw_rows
from warehouse.config import Settings
from warehouse.engines.duckdb_engine import META
from warehouse.load import positions
from warehouse.load.package import LoadRecord, LoadRules, load_package

RULES = LoadRules(history=frozenset({("s", "t")}))
VERSIONS = (
    "SELECT id, n, _deleted_at IS NULL, _sequence FROM raw_s.t__history"
    " ORDER BY _source_position, _load_id, _sequence NULLS FIRST, id"
)


@pytest.fixture
def stream(build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage) -> Any:
    """Return a function that loads changes (id, n, deleted, sequence) after a first (a, 1)."""
    load_package(build, settings.landing, make_package([("a", 1)]), run_id="run", rules=RULES)

    def load(rows: list[tuple[Any, ...]], at: int = 1) -> tuple[Manifest, LoadRecord]:
        manifest = make_package(rows, mode="stream", start=at, to=at + 1)
        record = load_package(build, settings.landing, manifest, run_id="run", rules=RULES)
        return manifest, record

    return load


def test_raw_ends_with_the_last_change_of_a_key_and_history_has_every_version_in_order(
    build: duckdb.DuckDBPyConnection, stream: Any
) -> None:
    manifest, record = stream(
        [("a", 3, False, 30), ("a", 2, False, 20), ("b", 9, False, 10), ("b", None, True, 40)]
    )
    assert (record.inserted_rows, record.updated_rows, record.deleted_rows) == (1, 2, 1)
    assert raw_rows(build, "id, n, _load_id, _source_position") == [("a", 3, manifest.load_id, 2)]
    assert build.execute(VERSIONS).fetchall() == [
        ("a", 1, True, None),
        ("b", 9, True, 10),
        ("a", 2, True, 20),
        ("a", 3, True, 30),
        ("b", 9, False, 40),
    ]


def test_a_change_that_changes_nothing_makes_no_version(
    build: duckdb.DuckDBPyConnection, stream: Any
) -> None:
    _, record = stream(
        [("a", 1, False, 1), ("a", 1, False, 2), ("c", None, True, 3), ("c", None, True, 4)]
    )
    assert record.changed_rows == 0
    assert raw_rows(build, "id, n, _source_position") == [("a", 1, 1)]
    assert build.execute("SELECT count(*) FROM raw_s.t__history").fetchone() == (1,)


def test_a_stream_package_loaded_twice_changes_nothing(
    build: duckdb.DuckDBPyConnection, settings: Settings, stream: Any
) -> None:
    manifest, first = stream([("a", 2, False, 1), ("a", 3, False, 2)])
    again = load_package(build, settings.landing, manifest, run_id="again", rules=RULES)
    assert again == first
    assert [row[1] for row in build.execute(VERSIONS).fetchall()] == [1, 2, 3]


def test_a_history_that_is_switched_on_by_a_stream_has_the_rows_as_they_stood_and_all_its_changes(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    load_package(build, settings.landing, make_package([("a", 1), ("b", 2)]), run_id="run")
    manifest = make_package([("a", 5, False, 1), ("a", 6, False, 2)], mode="stream", start=1, to=2)
    load_package(build, settings.landing, manifest, run_id="run", rules=RULES)
    assert build.execute(VERSIONS).fetchall() == [
        ("b", 2, True, None),
        ("a", 5, True, 1),
        ("a", 6, True, 2),
    ]


def test_two_changes_of_a_key_at_one_place_in_the_order_are_refused(
    build: duckdb.DuckDBPyConnection, stream: Any
) -> None:
    message = r"key \['id', '_sequence'\] is not unique, 2 rows have id = a, _sequence = 7"
    with pytest.raises(SourceError, match=message):
        stream([("a", 2, False, 7), ("a", 3, False, 7)])
    assert raw_rows(build) == [("a", 1)]


def test_a_change_without_a_place_in_the_order_is_refused(
    build: duckdb.DuckDBPyConnection, stream: Any
) -> None:
    with pytest.raises(SourceError, match=r"1 rows have NULL in \['id', '_sequence'\]"):
        stream([("a", 2, False, 7), ("a", 3, False, None)])
    assert [each.position for each in positions.positions(build)] == [{"at": 1}]


def test_a_column_that_the_changes_lack_stays_on_what_they_leave_or_delete(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    wide = (*COLUMNS, Column("note", "VARCHAR", "note", "text"))
    first = make_package([("a", 1, "x"), ("b", 2, "y"), ("c", 3, "z")], columns=wide)
    load_package(build, settings.landing, first, run_id="run", rules=RULES)
    # that b is written once more as it was, before it is deleted, is no change
    rows = [("a", 1, False, 1), ("b", 2, False, 2), ("b", None, True, 3), ("c", 4, False, 4)]
    second = make_package(rows, mode="stream", start=1, to=2)
    load_package(build, settings.landing, second, run_id="run", rules=RULES)
    assert build.execute(
        "SELECT id, n, note, _deleted_at IS NULL FROM raw_s.t ORDER BY id"
    ).fetchall() == [("a", 1, "x", True), ("b", 2, "y", False), ("c", 4, None, True)]


CHANGE = st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.booleans())


@given(st.lists(CHANGE, max_size=8), st.integers(0, 8))
@hypothesis_settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_changes_in_one_package_do_what_they_do_one_by_one(
    settings: Settings, make_package: MakePackage, changes: list[Any], cut: int
) -> None:
    rows = [(*change, number) for number, change in enumerate(changes)]
    first = make_package([("a", 0), ("b", 1)])
    several = [rows[:cut], rows[cut:]]
    found: list[Any] = []
    for packages in ([[row] for row in rows], [rows], several):
        # any order of the rows of a package is the same package
        manifests = [
            make_package(each[::-1], mode="stream", start=at, to=at + 1)
            for at, each in enumerate([each for each in packages if each], start=1)
        ]
        with duckdb.connect() as connection:
            connection.execute(META)
            records = [
                load_package(connection, settings.landing, each, run_id="run", rules=RULES)
                for each in (first, *manifests)
            ]
            found.append(
                (
                    connection.execute(
                        "SELECT id, n, _deleted_at IS NULL FROM raw_s.t ORDER BY ALL"
                    ).fetchall(),
                    connection.execute(VERSIONS).fetchall() if rows else [],
                    [
                        sum(each)
                        for each in zip(
                            *((r.inserted_rows, r.updated_rows, r.deleted_rows) for r in records),
                            strict=True,
                        )
                    ],
                )
            )
    assert found[0] == found[1] == found[2]
