"""The shop's PostgreSQL database: create it, load it at once, change it live."""

import io
from collections.abc import Iterable, Mapping
from datetime import datetime

import psycopg
import pyarrow as pa
from pyarrow import csv

from demo.tables import SHOP_TABLES, ShopTable
from extractors.naming import literal, quoted

NAME = "shop"

# Schema `demo` is the demo's own: its clock and what was loaded. The shop's schema is `public`.
OWN_SCHEMA = """
create schema demo;
create table demo.clock (is_only boolean primary key default true check (is_only), now timestamptz);
create table demo.parts (number integer primary key, sha256 text not null unique);
create function demo.stamp() returns trigger language plpgsql as $$
begin
    -- A time that the writer gives itself stays: clients with wrong clocks exist.
    if new.updated_at is null
        or (tg_op = 'UPDATE' and new.updated_at is not distinct from old.updated_at)
    then
        new.updated_at := (select now from demo.clock);
    end if;
    return new;
end
$$;
"""


def create_database(dsn: str) -> None:
    """Create the empty database `shop` unless it exists; `dsn` is of another database."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", [NAME])
        if found.fetchone() is None:
            _run(connection, f"create database {quoted(NAME)}")


def parts(connection: psycopg.Connection) -> list[str]:
    """Return the sha256 of each part of the orders that is loaded, in order."""
    found = connection.execute("select to_regclass('demo.parts') is not null").fetchone()
    if found != (True,):
        return []
    rows = connection.execute("select sha256 from demo.parts order by number").fetchall()
    return [str(row[0]) for row in rows]


def load(
    connection: psycopg.Connection, rows: Mapping[str, pa.Table], loaded: list[str], clock: datetime
) -> None:
    """Create and fill all tables in one transaction: after a kill there is nothing, or all."""
    with connection.transaction():
        connection.execute(OWN_SCHEMA.encode())
        connection.execute("insert into demo.clock (now) values (%s)", [clock])
        _note_parts(connection, loaded)
        for table in SHOP_TABLES:
            _create(connection, table, clock)
            _copy(connection, table.name, rows[table.name].select(table.names))
        # Keys and triggers come after the rows: 5 s less on 320,705 lines.
        for table in SHOP_TABLES:
            _constrain(connection, table)
    connection.execute("analyze")


def apply(
    connection: psycopg.Connection,
    changed: Mapping[str, pa.Table],
    loaded: list[str],
    clock: datetime,
) -> dict[str, tuple[int, int]]:
    """Write new and changed rows as the live shop would; return rows inserted and updated.

    One transaction, and the clock moves on in it: a reader sees none of the changes or all.
    """
    written: dict[str, tuple[int, int]] = {}
    with connection.transaction():
        connection.execute("update demo.clock set now = greatest(now, %s)", [clock])
        _note_parts(connection, loaded)
        for table in SHOP_TABLES:
            written[table.name] = _merge(connection, table, changed[table.name])
    return written


def clock(connection: psycopg.Connection) -> datetime:
    """Return the shop's now."""
    row = connection.execute("select now from demo.clock").fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise LookupError("demo.clock holds no time")
    return row[0]


def counts(connection: psycopg.Connection) -> dict[str, int]:
    """Return the number of rows of each table."""
    found: dict[str, int] = {}
    for table in SHOP_TABLES:
        row = _run(connection, f"select count(*) from {quoted(table.name)}").fetchone()
        found[table.name] = int(row[0]) if row else 0
    return found


def _note_parts(connection: psycopg.Connection, loaded: list[str]) -> None:
    for number, sha256 in enumerate(loaded, start=1):
        connection.execute(
            "insert into demo.parts values (%s, %s) on conflict do nothing", [number, sha256]
        )


def _run(connection: psycopg.Connection, statement: str) -> psycopg.Cursor:
    """Run a statement built from our own names; psycopg takes text only from literals."""
    return connection.execute(statement.encode())


def _names(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _create(connection: psycopg.Connection, table: ShopTable, clock: datetime) -> None:
    columns = "".join(f"{quoted(name)} {kind}, " for name, kind in table.columns)
    now = f"updated_at timestamptz not null default {literal(clock.isoformat())}"
    _run(connection, f"create table {quoted(table.name)} ({columns}{now})")


def _constrain(connection: psycopg.Connection, table: ShopTable) -> None:
    name = quoted(table.name)
    _run(connection, f"alter table {name} alter updated_at drop default")
    _run(connection, f"alter table {name} add primary key ({_names(table.key)})")
    for column, other in table.references:
        reference = f"foreign key ({quoted(column)}) references {quoted(other)}"
        _run(connection, f"alter table {name} add {reference}")
    _run(connection, f"create index on {name} (updated_at)")
    when = f"create trigger stamp before insert or update on {name}"
    _run(connection, f"{when} for each row execute function demo.stamp()")


def _copy(connection: psycopg.Connection, table: str, rows: pa.Table) -> None:
    columns = _names(rows.column_names)
    statement = f"copy {quoted(table)} ({columns}) from stdin (format csv)"
    # Text is quoted and NULL is not: PostgreSQL tells an empty text from NULL by that.
    options = csv.WriteOptions(include_header=False, quoting_style="needed")
    with connection.cursor().copy(statement.encode()) as copy:
        for batch in rows.to_batches(max_chunksize=50_000):
            text = io.BytesIO()
            csv.write_csv(batch, text, options)
            copy.write(text.getbuffer())


def _merge(connection: psycopg.Connection, table: ShopTable, rows: pa.Table) -> tuple[int, int]:
    name, columns, aside = quoted(table.name), _names(table.names), f"incoming_{table.name}"
    empty = f"select {columns} from {name} limit 0"
    _run(connection, f"create temp table {quoted(aside)} on commit drop as {empty}")
    _copy(connection, aside, rows.select(table.names))
    others = [quoted(column) for column in table.names if column not in table.key]
    changes = ", ".join(f"{column} = excluded.{column}" for column in others)
    # xmax is 0 in a row version that an insert made.
    merged = _run(
        connection,
        f"""
        with written as (
            insert into {name} ({columns}) select {columns} from {quoted(aside)}
            on conflict ({_names(table.key)}) do update set {changes}
            returning (xmax = 0) as is_new
        )
        select count(*) filter (where is_new), count(*) filter (where not is_new) from written
        """,
    ).fetchone()
    return (int(merged[0]), int(merged[1])) if merged else (0, 0)
