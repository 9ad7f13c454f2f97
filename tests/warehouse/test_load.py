"""A load package becomes raw rows in one transaction, or nothing."""

import json
import shutil
from datetime import date

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from extractors.errors import AuditError, SourceError
from extractors.package import Column, package_directory
from tests.warehouse.conftest import COLUMNS, MakePackage, raw_rows
from warehouse.config import Settings
from warehouse.load import positions, replay
from warehouse.load.package import LoadRecord, LoadRules, load_package

RULES = LoadRules()


def counts(record: LoadRecord) -> tuple[int, int, int]:
    return record.inserted_rows, record.updated_rows, record.deleted_rows


def test_a_first_package_fills_the_raw_table_and_says_where_its_rows_came_from(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    manifest = make_package([("a", 1), ("b", None)], to=7)
    record = load_package(build, settings.landing, manifest, run_id="run")
    assert counts(record) == (2, 0, 0)
    assert raw_rows(build, "id, n, _cell, _load_id, _source_position, _deleted_at") == [
        ("a", 1, "main", manifest.load_id, 7, None),
        ("b", None, "main", manifest.load_id, 7, None),
    ]


def test_loading_a_package_twice_changes_nothing(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    manifest = make_package([("a", 1)])
    first = load_package(build, settings.landing, manifest, run_id="one")
    again = load_package(build, settings.landing, manifest, run_id="two")
    assert again == first
    assert raw_rows(build) == [("a", 1)]
    assert build.execute("SELECT count(*) FROM meta.loads").fetchone() == (1,)


def test_an_increment_upserts_changed_rows_and_leaves_equal_ones_with_their_own_load(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    first = make_package([("a", 1), ("b", 2), ("c", 3)])
    second = make_package([("a", 1), ("b", 5), ("d", 4)], mode="incremental", start=1, to=2)
    load_package(build, settings.landing, first, run_id="run")
    record = load_package(build, settings.landing, second, run_id="run")
    assert counts(record) == (1, 1, 0)
    assert raw_rows(build, "id, n, _load_id") == [
        ("a", 1, first.load_id),
        ("b", 5, second.load_id),
        ("c", 3, first.load_id),
        ("d", 4, second.load_id),
    ]


def test_a_full_package_marks_the_rows_it_does_not_hold_as_deleted(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    load_package(build, settings.landing, make_package([("a", 1), ("b", 2)]), run_id="run")
    record = load_package(build, settings.landing, make_package([("b", 2)], to=2), run_id="run")
    assert counts(record) == (0, 0, 1)
    assert build.execute("SELECT id, _deleted_at IS NULL FROM raw_s.t ORDER BY id").fetchall() == [
        ("a", False),
        ("b", True),
    ]


def test_a_row_that_comes_back_after_its_deletion_is_live_once(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    load_package(build, settings.landing, make_package([("a", 1)]), run_id="run")
    gone = make_package([("a", None, True)], mode="incremental", start=1, to=2)
    back = make_package([("a", 3)], mode="incremental", start=2, to=3)
    assert counts(load_package(build, settings.landing, gone, run_id="run")) == (0, 0, 1)
    assert raw_rows(build) == []
    assert counts(load_package(build, settings.landing, back, run_id="run")) == (1, 0, 0)
    assert build.execute("SELECT id, n, _deleted_at FROM raw_s.t").fetchall() == [("a", 3, None)]


def test_an_empty_full_package_empties_the_table(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    load_package(build, settings.landing, make_package([("a", 1)]), run_id="run")
    load_package(build, settings.landing, make_package([], to=2), run_id="run")
    assert raw_rows(build) == []


def test_a_package_that_skips_one_is_refused_and_loads_once_that_one_is_in(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    first = make_package([("a", 1)])
    second = make_package([("b", 2)], mode="incremental", start=1, to=2)
    third = make_package([("c", 3)], mode="incremental", start=2, to=3)
    load_package(build, settings.landing, first, run_id="run")
    with pytest.raises(
        SourceError, match=r'starts at \{"at": 2\}, the table stands at \{"at": 1\}'
    ):
        load_package(build, settings.landing, third, run_id="run")
    load_package(build, settings.landing, second, run_id="run")
    load_package(build, settings.landing, third, run_id="run")
    assert raw_rows(build) == [("a", 1), ("b", 2), ("c", 3)]


def test_a_full_package_older_than_the_table_is_refused(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    old, new = make_package([("a", 1)]), make_package([("a", 2)], to=2)
    load_package(build, settings.landing, new, run_id="run")
    with pytest.raises(SourceError, match="is older than"):
        load_package(build, settings.landing, old, run_id="run")
    assert raw_rows(build) == [("a", 2)]


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_part_that_changed_or_went_missing_is_named_and_nothing_is_loaded(
    damage: str,
    build: duckdb.DuckDBPyConnection,
    settings: Settings,
    make_package: MakePackage,
) -> None:
    manifest = make_package([("a", 1)])
    part = package_directory(settings.landing, manifest) / manifest.parts[0].name
    if damage == "changed":
        part.write_bytes(part.read_bytes()[:-1] + b"x")
    else:
        part.unlink()
    with pytest.raises(SourceError, match=r"part-00000\.parquet: (checksum differs|missing)"):
        load_package(build, settings.landing, manifest, run_id="run")
    assert positions.positions(build) == []


def test_a_repeated_key_is_refused_with_the_key_that_repeats(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    with pytest.raises(SourceError, match=r"key \['id'\] is not unique, 2 rows have id = a"):
        load_package(build, settings.landing, make_package([("a", 1), ("a", 2)]), run_id="run")
    assert positions.positions(build) == []


def test_rejected_rows_are_kept_and_counted(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    rows = [(f"k{i}", i) for i in range(200)]
    record = load_package(build, settings.landing, make_package(rows, quarantined=2), run_id="run")
    assert (record.read_rows, record.loaded_rows, record.quarantined_rows) == (202, 200, 2)
    assert build.execute(
        "SELECT reason, field, row_key, payload FROM meta.quarantine ORDER BY row_key"
    ).fetchall() == [("unfit", "n", "0", "{}"), ("unfit", "n", "1", "{}")]


def test_too_many_rejected_rows_fail_the_load_and_set_the_package_aside(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    manifest = make_package([("a", 1)], quarantined=1)
    directory = package_directory(settings.landing, manifest)
    with pytest.raises(AuditError, match="1 of 2 rows do not fit.*the limit is 1000 rows or 1.00%"):
        replay.load_or_reject(
            build, settings.landing, manifest, directory, run_id="run", rules=RULES
        )
    assert not directory.exists()
    assert (directory.parent / f"rejected-{manifest.load_id}").is_dir()
    assert (
        replay.catch_up(build, settings.landing, [("s", "main", "t")], run_id="run", rules=RULES)
        == 0
    )


def test_a_type_that_loaded_values_cannot_take_sets_the_package_aside_and_shows_no_value(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    dated = (COLUMNS[0], Column("n", "DATE", "n", "date"))
    load_package(build, settings.landing, make_package([("a", 987654321)]), run_id="run")
    second = make_package([("a", date(2026, 1, 1))], columns=dated)
    with pytest.raises(
        SourceError, match=r"raw_s\.t\.n: .* INTEGER and cannot become DATE"
    ) as raised:
        replay.load_or_reject(
            build,
            settings.landing,
            second,
            package_directory(settings.landing, second),
            run_id="run",
            rules=RULES,
        )
    assert "987654321" not in str(raised.value)
    assert raw_rows(build, "id, n") == [("a", 987654321)]
    tables = [("s", "main", "t")]
    assert replay.catch_up(build, settings.landing, tables, run_id="run", rules=RULES) == 0


def test_a_file_among_the_packages_is_no_package_and_stays(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    make_package([("a", 1)])
    stray = settings.landing / "s" / "main" / "t" / "notes.txt"
    stray.write_text("mine")
    tables = [("s", "main", "t")]
    assert replay.catch_up(build, settings.landing, tables, run_id="run", rules=RULES) == 1
    assert stray.read_text() == "mine"


def test_a_broken_chain_ends_a_run_until_the_table_is_read_in_full(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    load_package(build, settings.landing, make_package([("a", 1)]), run_id="run")
    lost = make_package([("b", 2)], mode="incremental", start=1, to=2)
    make_package([("c", 3)], mode="incremental", start=2, to=3)
    shutil.rmtree(package_directory(settings.landing, lost))
    tables = [("s", "main", "t")]
    with pytest.raises(SourceError, match="warehouse run --full-refresh s.t` reads it anew"):
        replay.catch_up(build, settings.landing, tables, run_id="run", rules=RULES)
    replay.catch_up(
        build, settings.landing, tables, run_id="run", rules=RULES, refresh=frozenset({"s.t"})
    )
    make_package([("a", 1), ("b", 2), ("c", 3)], to=4)
    replay.catch_up(build, settings.landing, tables, run_id="run", rules=RULES)
    assert raw_rows(build) == [("a", 1), ("b", 2), ("c", 3)]


def test_a_new_column_and_a_wider_type_flow_through_and_are_recorded(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    wider = (
        COLUMNS[0],
        Column("n", "BIGINT", "n", "int8"),
        Column("note", "VARCHAR", "note", "text"),
    )
    load_package(build, settings.landing, make_package([("a", 1)]), run_id="run")
    second = make_package([("b", 2**40, "x")], mode="incremental", start=1, to=2, columns=wider)
    load_package(build, settings.landing, second, run_id="run")
    assert raw_rows(build, "id, n, note") == [("a", 1, None), ("b", 2**40, "x")]
    assert build.execute(
        "SELECT column_name, change, old_type, new_type FROM meta.schema_changes"
        " WHERE load_id = ? ORDER BY ALL",
        [second.load_id],
    ).fetchall() == [("n", "widened", "INTEGER", "BIGINT"), ("note", "added", None, "VARCHAR")]
    assert [c["type"] for c in positions.recorded_columns(build, "s", "t")] == [
        "VARCHAR",
        "BIGINT",
        "VARCHAR",
    ]


def test_the_source_position_of_a_table_never_falls(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    load_package(build, settings.landing, make_package([("a", 1)], to=9), run_id="run")
    load_package(build, settings.landing, make_package([("a", 2)], to=3), run_id="run")
    assert raw_rows(build, "id, _source_position") == [("a", 9)]


def test_a_table_with_history_keeps_every_version_of_a_row_and_its_deletion(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    rules = LoadRules(history=frozenset({("s", "t")}))
    packages = [
        make_package([("a", 1), ("b", 2)]),
        make_package([("a", 3), ("b", 2)], mode="incremental", start=1, to=2),
        make_package([("a", None, True)], mode="incremental", start=2, to=3),
    ]
    for manifest in packages:
        load_package(build, settings.landing, manifest, run_id="run", rules=rules)
    assert build.execute(
        "SELECT id, n, _source_position, _deleted_at IS NULL FROM raw_s.t__history ORDER BY ALL"
    ).fetchall() == [("a", 1, 1, True), ("a", 3, 2, True), ("a", 3, 3, False), ("b", 2, 1, True)]


def test_a_history_that_is_switched_on_later_begins_with_the_rows_as_they_stand(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    rules = LoadRules(history=frozenset({("s", "t")}))
    load_package(build, settings.landing, make_package([("a", 1), ("b", 2)]), run_id="run")
    second = make_package([("a", 3)], mode="incremental", start=1, to=2)
    load_package(build, settings.landing, second, run_id="run", rules=rules)
    assert build.execute("SELECT id, n FROM raw_s.t__history ORDER BY ALL").fetchall() == [
        ("a", 3),
        ("b", 2),
    ]


CHANGE = st.tuples(st.sampled_from("abcde"), st.one_of(st.none(), st.integers(0, 9)), st.booleans())


@given(st.lists(st.lists(CHANGE, max_size=6, unique_by=lambda row: row[0]), min_size=1, max_size=5))
@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_replaying_the_landed_packages_gives_what_a_plain_model_says(
    settings: Settings, make_package: MakePackage, changes: list[list[tuple[str, int | None, bool]]]
) -> None:
    for path in settings.landing.glob("s/main/t/*/*"):
        path.unlink()
    expected: dict[str, int | None] = {}
    for number, rows in enumerate(changes):
        if number == 0:
            make_package([(k, n) for k, n, _ in rows], to=0)
            expected = {k: n for k, n, _ in rows}
        else:
            make_package(rows, mode="incremental", start=number - 1, to=number)
            for key, n, deleted in rows:
                expected.pop(key, None)
                if not deleted:
                    expected[key] = n
    connection = duckdb.connect()
    try:
        from warehouse.engines.duckdb_engine import META

        connection.execute(META)
        replay.catch_up(
            connection, settings.landing, [("s", "main", "t")], run_id="run", rules=RULES
        )
        assert dict(raw_rows(connection)) == expected
    finally:
        connection.close()


def test_a_load_leaves_its_types_for_state(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    load_package(build, settings.landing, make_package([("a", 1)]), run_id="run")
    (record,) = [
        json.loads(row[0]) for row in build.execute("SELECT record FROM meta.outbox").fetchall()
    ]
    assert [(c["name"], c["type"]) for c in record["columns"]] == [
        ("id", "VARCHAR"),
        ("n", "INTEGER"),
    ]
