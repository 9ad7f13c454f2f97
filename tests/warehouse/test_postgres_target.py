"""The published version in a real PostgreSQL: what arrives, what readers see, what comes back."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from extractors.errors import AuditError, ConfigError, SourceError
from extractors.naming import quoted
from tests.relational_source import Source, postgres_server, source
from tests.warehouse import publishing
from warehouse import config
from warehouse.config import Settings
from warehouse.engines import (
    duckdb_engine,
    postgres_aside,
    postgres_engine,
    postgres_reader_roles,
    postgres_schemas,
    postgres_store,
    postgres_types,
)
from warehouse.publish import status, targets, versions
from warehouse.state import segments

__all__ = ["postgres_server", "source"]

REPOSITORY = Path(__file__).resolve().parents[2]

Publish = Callable[[int], str]


@pytest.fixture
def settings(tmp_path: Path, source: Source) -> Settings:
    path = tmp_path / "warehouse.yml"
    path.write_text(
        f"publication: {{keep: 2, detail_rows: 5, postgres: '{source.dsn}'}}\n"
        "sources:\n"
        "  s: {kind: postgres, dsn: 'postgresql://nobody@127.0.0.1:1/none',"
        " tables: {t: {key: [id]}}}\n",
        encoding="utf-8",
    )
    return config.load(path)


@pytest.fixture
def publish(build: duckdb.DuckDBPyConnection, settings: Settings) -> Publish:
    """Return a function that publishes orders and lines of one amount, and products as ever."""
    return lambda amount: publishing.publish(build, settings, amount)


def rows(source: Source, query: str) -> list[Any]:
    with psycopg.connect(source.dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def schemas(source: Source) -> set[str]:
    query = "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema|public)'"
    return {row[0] for row in rows(source, query)}


def stored(source: Source) -> dict[str, int]:
    """Return the tables of content in `store`, and the file each of them is."""
    found = rows(
        source,
        "select relname, relfilenode from pg_class where relkind = 'r'"
        " and relnamespace = 'store'::regnamespace and relname ~ '_[0-9a-f]{24}$'",
    )
    return dict(found)


def lagging(settings: Settings) -> dict[str, Any]:
    """Return what `status` says of PostgreSQL."""
    return status.status(settings)["targets"][1]


def test_readers_see_the_version_its_descriptions_and_which_it_is(
    publish: Publish, settings: Settings, source: Source
) -> None:
    assert publish(1) == "v000001"
    assert rows(
        source, "select amount, version, as_of from core.orders cross join meta.publication"
    ) == [(1, "v000001", publishing.AS_OF)]
    assert rows(source, "select * from core.products") == [("é's", 7)]
    assert rows(
        source,
        "select obj_description('core.orders'::regclass), col_description('core.orders'::regclass,"
        " 1), col_description('v000001_core.orders'::regclass, 1)",
    ) == [("One row per order.", "What it's worth, 100 %.", "What it's worth, 100 %.")]
    assert schemas(source) == {"store", "core", "meta", "v000001_core", "v000001_meta"}
    assert versions.publication(settings, "v000001")["prepared"] == ["duckdb", "postgres"]
    assert lagging(settings) == {
        "name": "postgres",
        "version": "v000001",
        "lags": False,
        "problem": None,
    }


def test_a_table_of_many_rows_is_in_the_file_alone_and_listed_so(
    publish: Publish, source: Source
) -> None:
    publish(1)
    found = rows(
        source,
        "select table_name, row_count, is_here from meta.published_tables"
        " where table_schema = 'core' order by 1",
    )
    assert found == [
        ("order_lines", 1, True),
        ("orders", 1, True),
        ("products", 1, True),
        ("visits", 6, False),
    ]
    assert rows(source, "select to_regclass('core.visits')") == [(None,)]


def test_what_did_not_change_is_not_loaded_again_and_what_is_not_kept_goes(
    publish: Publish, settings: Settings, source: Source
) -> None:
    publish(1)
    (products,) = [table for table in stored(source) if table.startswith("products")]
    file = stored(source)[products]
    publish(2)
    assert stored(source)[products] == file
    assert rows(source, "select amount from v000001_core.orders") == [(1,)]
    publish(3)
    assert stored(source)[products] == file
    assert {name[:7] for name in schemas(source) if name.startswith("v0")} == {"v000002", "v000003"}
    assert len([name for name in stored(source) if name.startswith("orders")]) == 2
    assert lagging(settings)["problem"] is None


def test_what_somebody_reads_stays_until_the_next_publication(
    publish: Publish, source: Source
) -> None:
    publish(1)
    with source.session() as reader:
        reader.execute("select * from v000001_core.orders, core.products")
        publish(2)
        publish(3)
        assert "v000001_core" in schemas(source)
        assert reader.execute("select amount from core.orders").fetchall() == [(3,)]
    publish(4)
    assert schemas(source) == {
        *("store", "core", "meta"),
        *("v000003_core", "v000003_meta", "v000004_core", "v000004_meta"),
    }


def test_a_view_that_somebody_built_on_ours_is_never_dropped(
    publish: Publish, settings: Settings, source: Source
) -> None:
    publish(1)
    source.run("create schema mine", "create view mine.best as select * from core.orders")
    for amount in (2, 3, 4):
        publish(amount)
    assert rows(source, "select amount from mine.best") == [(1,)]
    assert rows(source, "select amount from core.orders") == [(4,)]
    assert lagging(settings)["problem"] is None


def test_a_rollback_and_its_end_are_seen_there_too(
    publish: Publish, settings: Settings, source: Source
) -> None:
    publish(1)
    publish(2)
    versions.rollback(settings)
    assert rows(source, "select amount, version from core.orders, meta.publication") == [
        (1, "v000001")
    ]
    publish(3)
    assert rows(source, "select amount from core.orders") == [(1,)]
    assert rows(source, "select amount from v000003_core.orders") == [(3,)]
    versions.resume(settings)
    assert rows(source, "select amount from core.orders") == [(3,)]


def test_a_server_that_is_away_holds_nobody_up_and_catches_up(
    publish: Publish, settings: Settings, source: Source
) -> None:
    publish(1)
    publish(2)
    with away(source):
        assert publish(3) == "v000003"
        assert versions.current_version(settings.published_directory) == "v000003"
        assert lagging(settings)["version"] is None
        assert "not currently accepting connections" in lagging(settings)["problem"]
        assert versions.publication(settings, "v000003")["prepared"] == ["duckdb"]
        with pytest.raises(SourceError, match="postgres does not show v000002 yet .*accepting"):
            versions.rollback(settings)
        assert versions.current_version(settings.published_directory) == "v000002"
        with pytest.raises(SourceError, match="postgres does not show v000003 yet"):
            versions.resume(settings)
    assert lagging(settings)["version"] == "v000002"
    versions.catch_up(settings)
    assert rows(source, "select amount from core.orders") == [(3,)]
    assert not lagging(settings)["lags"]
    assert lagging(settings)["problem"] is None


@contextlib.contextmanager
def away(source: Source) -> Iterator[None]:
    """Let the database accept nobody."""
    with psycopg.connect(source.server.dsn(), autocommit=True) as connection:
        set_to = f"alter database {quoted(source.name)} allow_connections "
        connection.execute((set_to + "false").encode())
        yield
        connection.execute((set_to + "true").encode())


def test_a_schema_that_is_not_ours_is_left_alone(
    publish: Publish, settings: Settings, source: Source
) -> None:
    source.run("create schema core", "create table core.theirs (n integer)")
    publish(1)
    assert "has a schema core that the warehouse did not make" in lagging(settings)["problem"]
    assert rows(source, "select count(*) from core.theirs") == [(0,)]
    assert lagging(settings)["version"] is None


def test_schemas_of_others_that_are_named_like_ours_keep_their_tables(
    publish: Publish, settings: Settings, source: Source
) -> None:
    publish(1)
    theirs = ("core__old_2024", "v000001_notes", "core__next")
    for schema in theirs[:2]:
        source.run(f"create schema {schema}", f"create table {schema}.theirs (n integer)")
    publish(2)
    publish(3)
    assert schemas(source) & {"notes", "v000001_core"} == set()
    source.run("create schema core__next", "create table core__next.theirs (n integer)")
    publish(4)
    assert "has a schema core__next that the warehouse did not make" in lagging(settings)["problem"]
    assert lagging(settings)["version"] == "v000003"
    for schema in theirs:
        assert rows(source, f"select count(*) from {schema}.theirs") == [(0,)]


def test_a_schema_store_of_others_is_left_alone(
    publish: Publish, settings: Settings, source: Source
) -> None:
    source.run("create schema store", "create table store.theirs (n integer)")
    publish(1)
    assert "has a schema store that the warehouse did not make" in lagging(settings)["problem"]
    source.run("alter schema store rename to shop")
    publish(2)
    source.run("create table store.theirs (n integer)")
    publish(3)
    assert lagging(settings) == {
        "name": "postgres",
        "version": "v000003",
        "lags": False,
        "problem": None,
    }
    for schema in ("shop", "store"):
        assert rows(source, f"select count(*) from {schema}.theirs") == [(0,)]


def test_a_table_that_somebody_else_put_into_a_schema_of_ours_stays(
    publish: Publish, source: Source
) -> None:
    publish(1)
    source.run("create role planner", "create table core.targets (n integer)")
    try:
        source.run("alter table core.targets owner to planner")
        publish(2)
        publish(3)
        [(kept,)] = rows(
            source,
            "select relnamespace::regnamespace::text from pg_class where relname = 'targets'",
        )
        assert rows(source, f"select count(*) from {kept}.targets") == [(0,)]
        assert rows(source, "select amount from core.orders") == [(3,)]
    finally:
        source.run("drop owned by planner", "drop role planner")


def test_a_file_that_cannot_be_read_holds_up_nobody_else(
    publish: Publish, settings: Settings
) -> None:
    publish(1)
    versions.version_path(settings.published_directory, "v000002").write_text("torn")
    record = {**(versions.publication(settings, "v000001") or {}), "version": "v000002"}
    places = versions.targets(settings)
    targets.catch_up(places, record, versions.problems(settings))
    assert not places[1].has("v000002")
    assert "v000002.duckdb" in lagging(settings)["problem"]


def test_another_publication_of_the_same_name_replaces_what_is_there(
    publish: Publish, settings: Settings, source: Source
) -> None:
    publish(1)
    record = versions.publication(settings, "v000001") or {}
    target = versions.targets(settings)[1]
    # as if this one had been published, and shown, before the state was restored to an earlier time
    record = {
        **record,
        "published_at": "2025-01-01T00:00:00.000000Z",
        "as_of": "2025-01-01T00:00:00Z",
    }
    target.prepare(record)
    target.show("v000001")
    assert (target.shown(), target.has("v000001")) == ("v000001", False)
    versions.catch_up(settings)
    assert target.has("v000001")
    assert rows(source, "select as_of from meta.publication") == [(publishing.AS_OF,)]


def changed(settings: Settings, old: str, new: str) -> Settings:
    """Change the configuration."""
    text = settings.path.read_text(encoding="utf-8")
    settings.path.write_text(text.replace(old, new), encoding="utf-8")
    return config.load(settings.path)


def made_of(source: Source) -> list[Any]:
    """Return the public and set-aside tables and views, and the keys and references of tables."""
    return rows(
        source,
        "select n.nspname || '.' || relname, relkind::text,"
        " (select array_agg(pg_get_constraintdef(oid) order by contype desc) from pg_constraint"
        "  where conrelid = c.oid and contype in ('p', 'f'))"
        " from pg_class as c join pg_namespace as n on n.oid = relnamespace"
        " where n.nspname ~ '^core' and relkind in ('r', 'v') order by 1",
    )


def test_physical_tables_have_keys_and_replace_views_and_are_replaced_by_them(
    publish: Publish, settings: Settings, source: Source
) -> None:
    views = [("core.order_lines", "v", None), ("core.orders", "v", None)]
    tables = [
        (
            "core.order_lines",
            "r",
            ["FOREIGN KEY (amount) REFERENCES core.orders(amount) NOT VALID"],
        ),
        ("core.orders", "r", ["PRIMARY KEY (amount)"]),
    ]
    publish(1)
    assert made_of(source) == [*views, ("core.products", "v", None)]
    physical = changed(settings, "keep: 2", "keep: 2, tables: physical")
    assert lagging(physical)["lags"]

    versions.catch_up(physical)
    assert not lagging(physical)["lags"]
    assert made_of(source) == [*tables, ("core.products", "r", None)]
    assert rows(source, "select amount, version from core.orders cross join meta.publication") == [
        (1, "v000001")
    ]
    assert rows(source, "select obj_description('core.orders'::regclass)") == [
        ("One row per order.",)
    ]

    versions.catch_up(changed(physical, ", tables: physical", ""))
    assert made_of(source) == [*views, ("core.products", "v", None)]
    assert schemas(source) == {"store", "core", "meta", "v000001_core", "v000001_meta"}


def test_a_statement_that_looks_up_its_tables_during_a_switch_is_of_one_version(
    publish: Publish, settings: Settings, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(1)
    publish(2)
    target = versions.targets(settings)[1]
    answers: list[Any] = []
    query = (
        "select o.amount, l.amount, version"
        " from core.orders as o, core.order_lines as l, meta.publication"
    )
    reader = threading.Thread(target=lambda: answers.extend(rows(source, query)))

    def look_up_the_rest(_seconds: float) -> None:
        holding.rollback()
        reader.join()

    monkeypatch.setattr("warehouse.engines.postgres_swap.time.sleep", look_up_the_rest)
    with source.session() as holding:
        # the reader knows which `orders` it reads, and waits to know which `order_lines`
        holding.execute("alter view core.order_lines set (security_barrier = false)")
        reader.start()
        waiting = "select count(*) from pg_locks where not granted"
        deadline = time.monotonic() + 30
        while rows(source, waiting) != [(1,)] and time.monotonic() < deadline:
            reader.join(0.01)
        target.show("v000001")
    assert answers == [(2, 2, "v000002")]
    assert rows(source, query) == [(1, 1, "v000001")]


def test_a_prepared_statement_that_met_a_switch_is_of_one_version_when_it_is_run_again(
    publish: Publish, settings: Settings, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(1)
    publish(2)
    target = versions.targets(settings)[1]
    answers: list[Any] = []
    query = (
        "select o.amount, l.amount, version"
        " from core.orders as o, core.order_lines as l, meta.publication"
    )
    build = postgres_aside.build

    with source.session() as holding, source.session() as reader:
        reader.autocommit = True

        def ask() -> None:
            answers.extend(reader.execute(query, prepare=True).fetchall())

        asking = threading.Thread(target=ask)

        def look_up_the_rest(_seconds: float) -> None:
            holding.rollback()
            asking.join()

        def ask_again_once_readers_have_turned(*given: Any) -> None:
            if len(given) == 5:  # without a version before: the views that stay
                ask()
            build(*given)

        monkeypatch.setattr("warehouse.engines.postgres_swap.time.sleep", look_up_the_rest)
        monkeypatch.setattr(postgres_aside, "build", ask_again_once_readers_have_turned)
        holding.execute("alter view core.order_lines set (security_barrier = false)")
        asking.start()
        waiting = "select count(*) from pg_locks where not granted"
        deadline = time.monotonic() + 30
        while rows(source, waiting) != [(1,)] and time.monotonic() < deadline:
            asking.join(0.01)
        target.show("v000001")
    assert answers == [(2, 2, "v000002"), (1, 1, "v000001")]


@pytest.mark.parametrize(
    ("readers", "publications", "tables"),
    [
        (4, 6, "views"),
        (4, 6, "physical"),
        pytest.param(50, 100, "views", marks=pytest.mark.drill),
        pytest.param(50, 100, "physical", marks=pytest.mark.soak),
        pytest.param(5, 1000, "views", marks=pytest.mark.soak),
    ],
)
def test_readers_meet_no_error_and_no_mix_of_versions_while_versions_are_published(
    build: duckdb.DuckDBPyConnection,
    settings: Settings,
    source: Source,
    tmp_path: Path,
    readers: int,
    publications: int,
    tables: str,
) -> None:
    settings = changed(settings, "keep: 2", f"keep: 2, tables: {tables}")
    publishing.publish(build, settings, 1)
    stop = tmp_path / "stop"
    asking = subprocess.Popen(
        [sys.executable, "-m", "tests.warehouse.asking", source.dsn, str(readers), str(stop)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert asking.stdout is not None
    try:
        assert asking.stdout.readline() == "ready\n"
        for number in range(2, publications + 1):
            publishing.publish(build, settings, number)
            assert lagging(settings)["version"] == f"v{number:06d}", lagging(settings)
    finally:
        stop.touch()
        said, _ = asking.communicate(timeout=120)
    found = json.loads(said)
    assert found["errors"] == []
    # Copies are shown by renames alone: rarely a statement finds the tables of two, one by one.
    mixed = [{row[1], row[2], row[3], int(row[0][1:])} for rows in found["mixed"] for row in rows]
    assert all(max(seen) - min(seen) == 1 for seen in mixed)
    assert len(mixed) <= (0 if tables == "views" else sum(found["answers"]) // 1000)
    assert len(found["answers"]) == readers
    assert min(found["answers"]) > 0
    # they saw most publications while they were shown, each answer's version known
    assert found["versions"] > publications // 2
    print(f"{sum(found['answers'])} answers of {found['versions']} of {publications} versions")
    # what they held up is collected when they are gone
    last = publishing.publish(build, settings, publications + 1)
    kept = {
        f"{version}_{schema}"
        for version in (last, f"v{publications:06d}")
        for schema in ("core", "meta")
    }
    assert schemas(source) == {"store", "core", "meta", *kept}
    assert len([name for name in stored(source) if name.startswith("orders_")]) == 2


@pytest.fixture
def roles(source: Source) -> Iterator[None]:
    """Drop the readers' roles of a test: roles outlive its database."""
    yield
    with psycopg.connect(source.dsn, autocommit=True) as connection:
        postgres_reader_roles.drop_others(connection, [])


def killed(settings: Settings, point: str) -> None:
    """Publish an amount of 2 in a process of its own, and see it die at the point."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.warehouse.publishing", point, str(settings.path), "2"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, f"{point}: {done.returncode}\n{done.stderr}"


@pytest.mark.usefixtures("roles")
@pytest.mark.parametrize(
    ("point", "tables"),
    [
        *((point, "views") for point in publishing.POINTS),
        *((point, "physical") for point in publishing.SWAP),
    ],
)
def test_a_publisher_killed_at_any_step_leaves_a_whole_version_and_no_litter_after_the_next(
    settings: Settings, source: Source, point: str, tables: str
) -> None:
    readers = "{ part: { schemas: [core] }, cell: { schemas: [core], cells: [main] } }"
    settings = changed(settings, "keep: 2", f"keep: 1, tables: {tables}, readers: {readers}")
    with duckdb_engine.build_database(settings.build_database) as build:
        publishing.publish(build, settings, 1)
    killed(settings, point)
    query = (
        "select p.version, o.amount, l.amount"
        " from meta.publication as p, cell_core.orders as o, core.order_lines as l"
        " where has_schema_privilege('bi_part', 'core', 'usage')"
        " and has_table_privilege('bi_part', 'core.order_lines', 'select')"
        " and has_table_privilege('bi_cell', 'cell_core.orders', 'select')"
        " and not has_schema_privilege('bi_cell', 'core', 'usage')"
    )
    seen = rows(source, query)
    assert seen in ([("v000001", 1, 1)], [("v000002", 2, 2)])

    # what the next run does before it begins
    with segments.exclusive(settings.state_directory):
        wanted = versions.complete_switch(settings)
    versions.catch_up(settings)
    number = int(str(wanted)[-1])
    assert rows(source, query) == [(wanted, number, number)]
    assert not lagging(settings)["lags"]

    with duckdb_engine.build_database(settings.build_database) as build:
        newest = publishing.publish(build, settings, 3)
    assert rows(source, query) == [(newest, 3, 3)]
    public = {"core", "meta", "cell_core", "cell_meta"}
    assert schemas(source) == {"store", *public, *(f"{newest}_{schema}" for schema in public)}
    used = rows(source, "select distinct stored_as from store.contents where stored_as is not null")
    assert set(stored(source)) == {name for (name,) in used}
    assert lagging(settings)["problem"] is None


# DuckDB's value: its type and its text in PostgreSQL.
VALUES = {
    "true": ("boolean", "true"),
    "200::UTINYINT": ("smallint", "200"),
    "-7::TINYINT": ("smallint", "-7"),
    "4294967295::UINTEGER": ("bigint", "4294967295"),
    "18446744073709551615::UBIGINT": ("numeric(20,0)", "18446744073709551615"),
    "-99999999999999999999999999999999999999::HUGEINT": (
        "numeric(39,0)",
        "-99999999999999999999999999999999999999",
    ),
    "-0.10::DECIMAL(18,2)": ("numeric(18,2)", "-0.10"),
    "1234567890123456789012345678.0123456789::DECIMAL(38,10)": (
        "numeric(38,10)",
        "1234567890123456789012345678.0123456789",
    ),
    "1.5::FLOAT": ("real", "1.5"),
    "'-inf'::DOUBLE": ("double precision", "-Infinity"),
    "''": ("text", ""),
    "'a\"b''c\\d' || chr(10) || 'é'": ("text", "a\"b'c\\d\né"),
    "'b'::ENUM('a', 'b')": ("text", "b"),
    "'0b8a3c4e-0000-4000-8000-00000000ffff'::UUID": (
        "uuid",
        "0b8a3c4e-0000-4000-8000-00000000ffff",
    ),
    "'\\x00\\xFF'::BLOB": ("bytea", "\\x00ff"),
    "'{\"a\": [1]}'::JSON": ("json", '{"a": [1]}'),
    "{'a': 1, 'b': '\\u0000'}": ("json", '{"a":1,"b":"\\\\u0000"}'),
    "MAP {'k': 1}": ("json", '{"k":1}'),
    "[[1], NULL]": ("json", "[[1],null]"),
    "DATE '0044-03-15 (BC)'": ("date", "0044-03-15 BC"),
    "TIMESTAMP '2011-01-01 00:00:00.123456'": (
        "timestamp without time zone",
        "2011-01-01 00:00:00.123456",
    ),
    "TIMESTAMP_NS '2011-01-01 00:00:00.1234567'": (
        "timestamp without time zone",
        "2011-01-01 00:00:00.123457",
    ),
    "TIMESTAMPTZ '2011-06-01 01:00:00+01'": (
        "timestamp with time zone",
        "2011-06-01 00:00:00+00",
    ),
    "TIME '01:02:03.5'": ("time without time zone", "01:02:03.5"),
    "'01:02:03+02'::TIMETZ": ("text", "01:02:03+02"),
    "INTERVAL '1 month 2 days 3 hours'": ("interval", "1 mon 2 days 03:00:00"),
    "'0101'::BIT": ("text", "0101"),
    "[1, NULL, 3]": ("integer[]", "{1,NULL,3}"),
    "[200::UTINYINT]": ("smallint[]", "{200}"),
    "['a', NULL, '', 'b\"c']": ("text[]", '{a,NULL,"","b\\"c"}'),
    "[]::VARCHAR[]": ("text[]", "{}"),
    "[1.10::DECIMAL(18,2)]": ("numeric(18,2)[]", "{1.10}"),
    "[TIMESTAMPTZ '2011-06-01 01:00:00+01']": (
        "timestamp with time zone[]",
        '{"2011-06-01 00:00:00+00"}',
    ),
    "array_value(1.5::DOUBLE, 2)": ("double precision[]", "{1.5,2}"),
}


def loaded(source: Source, select: str) -> list[Any]:
    """Load a table of one row and return the types of its columns."""
    with duckdb.connect() as file, psycopg.connect(source.dsn, autocommit=True) as connection:
        file.execute(f"SET TimeZone = 'UTC'; CREATE TABLE main.t AS {select}")
        described = file.execute("DESCRIBE main.t").fetchall()
        columns = tuple(postgres_types.column(row[0], row[1]) for row in described)
        table = postgres_store.Table("main", "t", select, 1, columns)
        postgres_schemas.create_layout(connection)
        postgres_store.load(postgres_engine.address(source.dsn), file, [table])
        return rows(
            source,
            "select format_type(atttypid, atttypmod) from pg_attribute where attnum > 0"
            f" and attrelid = 'store.{table.stored_as}'::regclass order by attnum",
        )


def test_every_type_arrives_as_it_is(source: Source) -> None:
    select = ", ".join(f"{value} AS c{number}" for number, value in enumerate(VALUES))
    with psycopg.connect(source.dsn, autocommit=True) as connection:
        connection.execute(f"alter database {source.name} set timezone = 'UTC'".encode())
    texts = ", ".join(f"c{number}::text" for number in range(len(VALUES)))
    types = [found for (found,) in loaded(source, f"SELECT {select}")]
    (table,) = stored(source)
    (values,) = rows(source, f"select {texts} from store.{table}")
    assert dict(zip(VALUES, zip(types, values, strict=True), strict=True)) == VALUES


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("'a' || chr(0)", "holds a NUL character in 1 rows"),
        ("{'a': 'b' || chr(0)}", "holds a NUL character in 1 rows"),
        ("['a', 'b' || chr(0)]", "holds a NUL character in 1 rows"),
        ("'infinity'::DATE", "is infinite or before 4713 BC"),
        ("'-infinity'::TIMESTAMP", "is infinite or before 4713 BC"),
        ("'infinity'::TIMESTAMPTZ", "is infinite or before 4713 BC"),
        ("[NULL, 'infinity'::TIMESTAMP]", "is infinite or before 4713 BC"),
        ("TIMESTAMP '4800-01-01 (BC)'", "is infinite or before 4713 BC"),
        ("170141183460469231731687303715884105727::HUGEINT", "is a number of 39 digits"),
    ],
)
def test_a_value_that_would_change_on_the_way_is_refused(
    source: Source, value: str, message: str
) -> None:
    with pytest.raises(AuditError, match=f"^main.t.v: {message}"):
        loaded(source, f"SELECT {value} AS v")
    assert stored(source) == {}


def test_what_has_no_type_or_name_there_is_named() -> None:
    with pytest.raises(ConfigError, match="^shape: GEOMETRY has no type of PostgreSQL; cast it"):
        postgres_types.column("shape", "GEOMETRY")
    with pytest.raises(ConfigError, match="takes names of 63 bytes"):
        postgres_types.column("é" * 32, "INTEGER")


def test_a_figure_that_differs_after_loading_leaves_no_table(source: Source) -> None:
    with duckdb.connect() as file, psycopg.connect(source.dsn, autocommit=True) as connection:
        file.execute("CREATE TABLE main.t AS SELECT 1.10::DECIMAL(18,2) AS v")
        postgres_schemas.create_layout(connection)
        # what DuckDB gives and what it counts differ by a cent
        column = postgres_types.Column("v", "numeric(18,2)", "v + 0.01")
        table = postgres_store.Table("main", "t", "x", 1, (column,))
        with pytest.raises(AuditError, match=r'sum\("v"\) is 1.11 in PostgreSQL and 1.10 in the'):
            postgres_store.load(postgres_engine.address(source.dsn), file, [table])
    assert stored(source) == {}


def test_a_table_that_another_publisher_finishes_meanwhile_is_taken_as_it_is(
    source: Source,
) -> None:
    table = postgres_store.Table(
        "main", "t", "SELECT 1::BIGINT AS n", 1, (postgres_types.column("n", "BIGINT"),)
    )
    with psycopg.connect(source.dsn, autocommit=True) as connection:
        postgres_schemas.create_layout(connection)
    with ThreadPoolExecutor(1) as thread, psycopg.connect(source.dsn) as other:
        name = f"store.{table.stored_as}"
        other.execute(f"create table {name} (n bigint); insert into {name} values (1)".encode())
        done = thread.submit(loaded, source, table.content_hash)
        waiting = "select count(*) from pg_locks where not granted"
        deadline = time.monotonic() + 20
        while rows(source, waiting) != [(1,)] and time.monotonic() < deadline:
            time.sleep(0.05)
        other.commit()
        assert done.result() == [("bigint",)]
    assert rows(source, f"select n from {name}") == [(1,)]


def test_the_time_that_a_database_gives_its_queries_does_not_end_a_load(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    # an index that takes longer
    monkeypatch.setattr(postgres_store, "_indexes", lambda *_: ["SELECT pg_sleep(1.2)"])
    with psycopg.connect(source.dsn, autocommit=True) as connection:
        connection.execute(f"alter database {source.name} set statement_timeout = '1s'".encode())
    assert loaded(source, "SELECT 1::BIGINT AS n") == [("bigint",)]


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://a:b@bi.example/marts",
        "postgresql://a:b@10.0.0.8/marts?sslmode=prefer",
        "host=localhost,bi.example dbname=marts",
        "postgresql://a:b@localhost/marts?hostaddr=10.0.0.8",
    ],
)
def test_another_machine_is_only_reached_by_tls(dsn: str) -> None:
    with pytest.raises(ConfigError, match="is another machine; add sslmode=verify-full"):
        postgres_engine.address(dsn)


def test_this_machine_or_one_with_tls_is_reached_as_named() -> None:
    for dsn in (
        "postgresql://a:b@127.0.0.1/marts",
        "postgresql://a:b@[::1]/marts",
        "postgresql:///marts?host=/var/run/postgresql",
        "postgresql://a:b@bi.example/marts?sslmode=verify-full",
    ):
        assert "connect_timeout=10" in postgres_engine.address(dsn)
    with pytest.raises(ConfigError, match="not an address"):
        postgres_engine.address("postgresql://[a/b")
