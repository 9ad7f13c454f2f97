"""A compacted package stands for those it replaces: raw, history and `meta` replay the same."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from extractors.errors import SourceError
from extractors.package import Column, PackageWriter, load_id_at, package_directory, packages
from tests.warehouse.conftest import NOON, MakePackage, raw_rows
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.load import chains, compaction, discards, outbox, replay
from warehouse.load.package import LoadRules

TABLES = [("s", "main", "t")]
RULES = LoadRules(history=frozenset({("s", "t")}))
KEPT = ("raw_s.t", "raw_s.t__history", *(f"meta.{name}" for name in (
    "positions", "loads", "quarantine", "columns", "schema_changes"
)))  # fmt: skip


@contextmanager
def fresh() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield an empty build database, as after its file was deleted."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(duckdb_engine.META)
        yield connection


def catch_up(connection: duckdb.DuckDBPyConnection, settings: Settings) -> int:
    return replay.catch_up(connection, settings.landing, TABLES, run_id="run", rules=RULES)


def chain(settings: Settings) -> list[Any]:
    (found,) = chains.chains(settings.landing, TABLES).values()
    return found


def content(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """Return all rows of all tables that belong to `s.t`, with every column."""
    found: dict[str, list[Any]] = {}
    for table in KEPT:
        names = sorted(row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall())
        columns = ", ".join(f'"{name}"' for name in names)
        found[table] = connection.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()
    return found


def replayed(settings: Settings) -> dict[str, list[Any]]:
    with fresh() as connection:
        catch_up(connection, settings)
        return content(connection)


def without_time(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Return the rows without the moments at which packages were loaded."""
    return {
        table: sorted(
            (
                tuple(
                    "time"
                    if isinstance(value, datetime) and value.astimezone(UTC) != NOON
                    else value
                    for value in row
                )
                for row in rows
            ),
            key=repr,
        )
        for table, rows in found.items()
    }


def remove(settings: Settings, *load_ids: str) -> None:
    for load_id in load_ids:
        shutil.rmtree(settings.landing / "s" / "main" / "t" / load_id)


def test_raw_replays_from_a_compacted_package_to_the_last_column_of_every_table(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    wider = (
        Column("id", "VARCHAR", "id", "text"),
        Column("n", "BIGINT", "n", "int8"),
        Column("note", "VARCHAR", "note", "text"),
    )
    rows = [(f"k{i}", i) for i in range(300)]
    make_package(rows)
    make_package([("k1", 7), ("k2", 2)], mode="incremental", start=1, to=2)
    make_package([("k3", None, True)], mode="incremental", start=2, to=3)
    make_package(
        [("new", 2**40, "x"), *((k, n, None) for k, n in rows)], columns=wider, to=4, quarantined=2
    )
    catch_up(build, settings)
    before, replaced = content(build), [m.load_id for m in chain(settings)]
    manifest = compaction.compact(build, settings.landing, chain(settings))
    assert (manifest.mode, list(manifest.replaces)) == ("compacted", replaced)
    assert content(build) == before
    assert replayed(settings) == before
    remove(settings, *replaced)
    assert replayed(settings) == before
    assert [len(rows) for rows in before.values()] == [301, 305, 1, 4, 2, 3, 4]


def test_the_next_package_continues_the_chain_of_a_compacted_one(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage
) -> None:
    make_package([("a", 1), ("b", 2)])
    make_package([("a", 3)], mode="incremental", start=1, to=2)
    catch_up(build, settings)
    compaction.compact(build, settings.landing, chain(settings))
    remove(settings, *chain(settings)[-1].replaces)
    make_package([("b", 5)], mode="incremental", start=2, to=3)
    with fresh() as connection:
        assert catch_up(connection, settings) == 1
        assert catch_up(connection, settings) == 0
        assert raw_rows(connection, "id, n, _source_position") == [("a", 3, 2), ("b", 5, 3)]
    assert catch_up(build, settings) == 1
    assert without_time(replayed(settings)) == without_time(content(build))


def test_a_compacted_package_is_recorded_where_raw_has_its_content(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage
) -> None:
    make_package([("a", 1)])
    make_package([("a", 2)], to=2)
    catch_up(build, settings)
    before = content(build)
    manifest = compaction.write(build, settings.landing, chain(settings))
    for part in manifest.parts:  # it is not even read
        (package_directory(settings.landing, manifest) / part.name).write_bytes(b"")
    assert catch_up(build, settings) == 0
    assert content(build) == before
    assert build.execute("SELECT load_id FROM meta.compactions").fetchall() == [(manifest.load_id,)]


def test_what_was_discarded_after_the_compaction_stays_discarded(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage
) -> None:
    make_package([(f"k{i}", i) for i in range(300)], quarantined=2)
    make_package([("a", 2)], mode="incremental", start=1, to=2)
    catch_up(build, settings)
    compaction.compact(build, settings.landing, chain(settings))
    (entry, _) = build.execute("SELECT quarantine_id FROM meta.quarantine ORDER BY ALL").fetchall()
    discards.discard(build, [entry[0]], by="me", why="a test")
    outbox.flush(build, settings.state_directory)
    found = "SELECT * FROM meta.quarantine ORDER BY ALL"
    with fresh() as connection:
        discards.restore(connection, settings.state_directory)
        catch_up(connection, settings)
        assert connection.execute(found).fetchall() == build.execute(found).fetchall()
        assert "discarded" in str(connection.execute(found).fetchall())


def test_a_compacted_package_that_changed_is_named_and_raw_stays_empty(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage
) -> None:
    make_package([("a", 1)])
    make_package([("a", 2)], to=2)
    catch_up(build, settings)
    manifest = compaction.compact(build, settings.landing, chain(settings))
    file = package_directory(settings.landing, manifest) / "rows.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with fresh() as connection:
        with pytest.raises(SourceError, match=r"rows\.parquet: checksum differs.*full-refresh s.t"):
            catch_up(connection, settings)
        assert connection.execute("SELECT count(*) FROM meta.loads").fetchone() == (0,)
        replay.catch_up(
            connection,
            settings.landing,
            TABLES,
            run_id="run",
            rules=RULES,
            refresh=frozenset({"s.t"}),
        )
        assert without_time(content(connection)) == without_time(content(build))


def test_what_is_not_loaded_is_not_compacted(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage
) -> None:
    make_package([("a", 1)])
    catch_up(build, settings)
    late = make_package([("a", 2)], to=2)
    with pytest.raises(SourceError, match=rf"s.t \(main\): package {late.load_id} is not loaded"):
        compaction.compact(build, settings.landing, chain(settings))
    assert len(chain(settings)) == 2


def test_outdated_history_is_left_out_and_the_versions_in_force_stay(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage
) -> None:
    make_package([("a", 1), ("b", 1), ("c", 1)])
    make_package([("a", 2)], mode="incremental", start=1, to=2)
    make_package([("a", 3), ("c", 3)], mode="incremental", start=2, to=3)
    later = make_package([("a", 4), ("b", 4)], mode="incremental", start=3, to=4)
    catch_up(build, settings)
    compaction.write(build, settings.landing, chain(settings), later.load_id)
    history = "SELECT id, n FROM raw_s.t__history ORDER BY ALL"
    kept = [("a", 3), ("a", 4), ("b", 1), ("b", 4), ("c", 3)]
    assert len(build.execute(history).fetchall()) == 8
    catch_up(build, settings)  # as after a kill between the two
    assert build.execute(history).fetchall() == kept
    assert replayed(settings) == content(build)


def test_of_the_versions_of_one_stream_package_the_last_was_in_force(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage
) -> None:
    make_package([("a", 1)])
    changes = [("a", n, False, n) for n in (9, 3, 5)]
    make_package(changes, mode="stream", start=1, to=2)
    later = make_package([("a", 4)], mode="incremental", start=2, to=3)
    catch_up(build, settings)
    compaction.write(build, settings.landing, chain(settings), later.load_id)
    catch_up(build, settings)
    history = "SELECT id, n, _sequence FROM raw_s.t__history ORDER BY _load_id"
    assert build.execute(history).fetchall() == [("a", 9, 9), ("a", 4, None)]
    assert replayed(settings) == content(build)


def test_every_type_that_raw_can_have_survives(
    settings: Settings, build: duckdb.DuckDBPyConnection
) -> None:
    types = {
        "VARCHAR": "'\u00e9\u0000'", "BOOLEAN": "false", "SMALLINT": "-1", "INTEGER": "1",
        "BIGINT": "9223372036854775807", "FLOAT": "1.1", "DOUBLE": "'nan'", "DATE": "'infinity'",
        "DECIMAL(38,10)": "-1234567890123456789012345678.0123456789", "UUID": "uuid()",
        "TIMESTAMP": "'0044-03-15 (BC) 00:00:00.000001'", "TIMESTAMPTZ": "'-infinity'",
        "BLOB": "'\\x00\\xFF'::BLOB", "JSON": "'{\"a\": [1, null]}'",
        "VARCHAR[]": "['a', NULL, '']",
        "DECIMAL(4,2)[]": "[]", "TIMESTAMPTZ[]": "['infinity']",
    }  # fmt: skip
    columns = [Column("id", "INTEGER", "id", "int4")]
    columns += [Column(f"c{i}", kind, f"c{i}", "x") for i, kind in enumerate(types)]
    with PackageWriter(settings.landing, "s", "main", "t") as writer:
        path = writer.new_part()
        values = ", ".join(
            f"({value})::{kind} AS c{i}" for i, (kind, value) in enumerate(types.items())
        )
        empty = ", ".join(f"NULL::{kind}" for kind in types)
        build.execute(
            f"COPY (SELECT 1 AS id, {values} UNION ALL SELECT 2, {empty})"
            f" TO '{path}' (FORMAT parquet)"
        )
        writer.add_part(path)
        writer.commit(
            mode="full", key=["id"], columns=columns, from_=None, to={"at": 1},
            source_position=1, complete_up_to=NOON,
        )  # fmt: skip
    catch_up(build, settings)
    compaction.compact(build, settings.landing, chain(settings))
    as_text = "SELECT COLUMNS(*)::VARCHAR FROM raw_s.t ORDER BY ALL"
    described = "SELECT column_name, column_type FROM (DESCRIBE raw_s.t)"
    with fresh() as connection:
        catch_up(connection, settings)
        for statement in (as_text, described):
            assert (
                connection.execute(statement).fetchall() == build.execute(statement).fetchall()
            ), statement
    assert build.execute(as_text).fetchone() is not None


def test_two_entities_of_one_table_are_compacted_apart(
    settings: Settings, build: duckdb.DuckDBPyConnection
) -> None:
    for number in (1, 2):
        for entity in ("carts", "searches"):
            with PackageWriter(settings.landing, "s", "main", "t", entity) as writer:
                path = writer.new_part()
                pq.write_table(pa.table({"id": [entity], "n": [Decimal(number)]}), path)
                writer.add_part(path)
                writer.commit(
                    mode="full",
                    key=["id"],
                    columns=[
                        Column("id", "VARCHAR", "id", "S"),
                        Column("n", "DECIMAL(1,0)", "n", "N"),
                    ],
                    from_=None,
                    to={"at": number},
                    source_position=number,
                    complete_up_to=NOON,
                )
    catch_up(build, settings)
    carts, searches = chains.chains(settings.landing, TABLES).values()
    made = compaction.compact(build, settings.landing, carts)
    assert made.replaces == tuple(m.load_id for m in carts)
    remove(settings, *made.replaces)
    with fresh() as connection:
        assert catch_up(connection, settings) == 2
        for table in ("carts", "searches"):
            found = f"SELECT id, n, _load_id FROM raw_s.{table}"
            assert connection.execute(found).fetchall() == build.execute(found).fetchall()
    assert len(searches) == 2


def test_cells_that_are_compacted_share_the_columns_of_their_raw_table(
    settings: Settings, build: duckdb.DuckDBPyConnection
) -> None:
    types = {"eu": ("BIGINT", ("id", "n", "only_eu")), "us": ("INTEGER", ("id", "n"))}
    for cell, (kind, names) in types.items():
        kinds = {"id": "VARCHAR", "n": kind, "only_eu": "VARCHAR"}
        for number in (1, 2):
            with PackageWriter(settings.landing, "s", cell, "t") as writer:
                path = writer.new_part()
                values = {"id": "'a'", "n": f"{number}::{kind}", "only_eu": "'x'"}
                rows = ", ".join(f"{values[name]} AS {name}" for name in names)
                build.execute(f"COPY (SELECT {rows}) TO '{path}' (FORMAT parquet)")
                writer.add_part(path)
                writer.commit(
                    mode="full", key=["id"], from_=None, to={"at": number},
                    columns=[Column(name, kinds[name], name, "x") for name in names],
                    source_position=number, complete_up_to=NOON,
                )  # fmt: skip
    tables = [("s", "us", "t"), ("s", "eu", "t")]  # the narrower type first
    replay.catch_up(build, settings.landing, tables, run_id="run", rules=RULES)
    for found in chains.chains(settings.landing, tables).values():
        compaction.compact(build, settings.landing, found)
    for order in (tables, tables[::-1]):
        with fresh() as connection:
            replay.catch_up(connection, settings.landing, order, run_id="run", rules=RULES)
            assert content(connection) == content(build)
    cells = [row[0] for row in content(build)["meta.columns"]]
    assert cells == [["eu"], ["eu", "us"], ["eu", "us"]]


CHANGE = st.tuples(st.sampled_from("abcde"), st.integers(0, 9), st.booleans())
ROWS = st.lists(CHANGE, max_size=4, unique_by=lambda row: row[0])
# A step lands and loads rows, or compacts: how many of its steps are done before the kill, and
# whether all of history is kept.
COMPACT = st.tuples(st.integers(1, 4), st.booleans())


@given(st.lists(st.one_of(ROWS, COMPACT), min_size=2, max_size=6))
@hypothesis_settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_is_loaded_compacted_and_killed_landing_replays_to_the_same_raw(
    settings: Settings, make_package: MakePackage, steps: list[Any]
) -> None:
    shutil.rmtree(settings.landing, ignore_errors=True)
    model: dict[str, int] = {}
    at = 0
    make_package([("z", 0)], to=0)
    model["z"] = 0
    with fresh() as build:
        catch_up(build, settings)
        for step in steps:
            if isinstance(step, list):
                make_package(step, mode="incremental", start=at, to=at + 1)
                at += 1
                for key, n, deleted in step:
                    model.pop(key, None)
                    if not deleted:
                        model[key] = n
            else:
                compact_and_be_killed(build, settings, *step)
            catch_up(build, settings)
        assert dict(raw_rows(build)) == model
        assert without_time(replayed(settings)) == without_time(content(build))
        assert build.execute("SELECT count(*) FROM meta.loads").fetchone() == (at + 1,)


def compact_and_be_killed(
    build: duckdb.DuckDBPyConnection, settings: Settings, done: int, whole_history: bool
) -> None:
    """Do the first steps of: write, record, remove the first replaced package, remove the rest."""
    newest = load_id_at(datetime.now(UTC) + timedelta(days=1))
    before = None if whole_history else newest
    manifest = compaction.write(build, settings.landing, chain(settings), before)
    if done > 1:
        compaction.take(build, settings.landing, manifest)
    if done > 2:
        remove(settings, manifest.replaces[0])
    if done > 3:
        remove(settings, *manifest.replaces[1:])


def test_a_killed_writing_leaves_nothing(
    settings: Settings,
    build: duckdb.DuckDBPyConnection,
    make_package: MakePackage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_package([("a", 1)])
    make_package([("a", 2)], to=2)
    catch_up(build, settings)
    before = content(build)
    folders: list[Path] = []

    def killed(writer: PackageWriter, **_: object) -> None:
        folders.append(writer.directory)
        shutil.copytree(writer.directory, writer.directory.with_name("torn"))
        raise KeyboardInterrupt

    monkeypatch.setattr(PackageWriter, "commit", killed)
    with pytest.raises(KeyboardInterrupt):
        compaction.compact(build, settings.landing, chain(settings))
    folders[0].with_name("torn").rename(folders[0])
    catch_up(build, settings)
    assert [d.name for d in packages(settings.landing, *TABLES[0])] == [
        manifest.load_id for manifest in chain(settings)
    ]
    assert not folders[0].exists()
    assert content(build) == before
