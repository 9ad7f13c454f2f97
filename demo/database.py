"""The shop's PostgreSQL database: create it, load it at once, change it live."""

import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import psycopg
import pyarrow as pa
from pyarrow import csv

from demo.changes import Change
from demo.state import State
from demo.tables import SHOP_TABLES, ShopTable
from extractors.naming import literal, quoted

NAME = "shop"

# Schema `demo` is the demo's own: its clock and what was loaded. The shop's schema is `public`.
OWN_SCHEMA = """
create schema demo;
create table demo.clock (
    is_only boolean primary key default true check (is_only),
    now timestamptz not null,
    made_from timestamptz
);
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


def state(connection: psycopg.Connection) -> State | None:
    """Return the state that the rows are of; None in a database that is not loaded yet."""
    found = connection.execute("select to_regclass('demo.clock') is not null").fetchone()
    if found != (True,):
        return None
    row = connection.execute("select now, made_from from demo.clock").fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise LookupError("demo.clock holds no time")
    now, made_from = (at.astimezone(UTC) if at else None for at in row)
    if now is None:
        raise LookupError("demo.clock holds no time")
    rows = connection.execute("select sha256 from demo.parts order by number").fetchall()
    return State(now, made_from, tuple(str(row[0]) for row in rows))


def load(connection: psycopg.Connection, rows: Mapping[str, pa.Table], state: State) -> None:
    """Create and fill all tables in one transaction: after a kill there is nothing, or all."""
    with connection.transaction():
        connection.execute(OWN_SCHEMA.encode())
        connection.execute("insert into demo.clock (now) values (%s)", [state.now])
        _note(connection, state)
        for table in SHOP_TABLES:
            _create(connection, table, state.now)
            _copy(connection, quoted(table.name), rows[table.name].select(table.names))
        # Keys and triggers come after the rows: 5 s less on 320,705 lines.
        for table in SHOP_TABLES:
            _constrain(connection, table)
    connection.execute("analyze")


def apply(
    connection: psycopg.Connection, changes: Mapping[str, Change], state: State
) -> dict[str, tuple[int, int, int]]:
    """Change rows as the live shop would; return rows inserted, updated, deleted of each table.

    One transaction, and the clock moves on in it: a reader sees none of the changes or all. Rows
    are deleted last, when what referred to them refers to others.
    """
    with connection.transaction():
        _note(connection, state)
        written = {
            table.name: _merge(connection, table, changes[table.name].written)
            for table in SHOP_TABLES
        }
        deleted = {
            table.name: _delete(connection, table, changes[table.name].deleted)
            for table in reversed(SHOP_TABLES)
        }
    return {name: (*counts, deleted[name]) for name, counts in written.items()}


def counts(connection: psycopg.Connection) -> dict[str, int]:
    """Return the number of rows of each table."""
    found: dict[str, int] = {}
    for table in SHOP_TABLES:
        row = _run(connection, f"select count(*) from {quoted(table.name)}").fetchone()
        found[table.name] = int(row[0]) if row else 0
    return found


def _note(connection: psycopg.Connection, state: State) -> None:
    connection.execute(
        "update demo.clock set now = %s, made_from = %s", [state.now, state.made_from]
    )
    for number, sha256 in enumerate(state.parts, start=1):
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
        # Without it each row deleted from the other table reads this one from end to end.
        _run(connection, f"create index on {name} ({quoted(column)})")
    _run(connection, f"create index on {name} (updated_at)")
    when = f"create trigger stamp before insert or update on {name}"
    _run(connection, f"{when} for each row execute function demo.stamp()")


def _copy(connection: psycopg.Connection, table: str, rows: pa.Table) -> None:
    columns = _names(rows.column_names)
    statement = f"copy {table} ({columns}) from stdin (format csv)"
    # Text is quoted and NULL is not: PostgreSQL tells an empty text from NULL by that.
    options = csv.WriteOptions(include_header=False, quoting_style="needed")
    with connection.cursor().copy(statement.encode()) as copy:
        for batch in rows.to_batches(max_chunksize=50_000):
            text = io.BytesIO()
            csv.write_csv(batch, text, options)
            copy.write(text.getbuffer())


def _aside(connection: psycopg.Connection, kind: str, table: ShopTable, rows: pa.Table) -> str:
    """Copy rows of some columns into a temporary table of this transaction; return its name."""
    aside, columns = quoted(f"{kind}_{table.name}"), _names(rows.column_names)
    empty = f"select {columns} from {quoted(table.name)} limit 0"
    _run(connection, f"create temp table {aside} on commit drop as {empty}")
    _copy(connection, aside, rows)
    return aside


def _merge(connection: psycopg.Connection, table: ShopTable, rows: pa.Table) -> tuple[int, int]:
    if not rows.num_rows:
        return 0, 0
    columns = _names(table.names)
    aside = _aside(connection, "written", table, rows.select(table.names))
    others = [quoted(column) for column in table.names if column not in table.key]
    changes = ", ".join(f"{column} = excluded.{column}" for column in others)
    # xmax is 0 in a row version that an insert made.
    merged = _run(
        connection,
        f"""
        with written as (
            insert into {quoted(table.name)} ({columns}) select {columns} from {aside}
            on conflict ({_names(table.key)}) do update set {changes}
            returning (xmax = 0) as is_new
        )
        select count(*) filter (where is_new), count(*) filter (where not is_new) from written
        """,
    ).fetchone()
    return (int(merged[0]), int(merged[1])) if merged else (0, 0)


def _delete(connection: psycopg.Connection, table: ShopTable, keys: pa.Table) -> int:
    if not keys.num_rows:
        return 0
    aside, name = _aside(connection, "deleted", table, keys), quoted(table.name)
    is_same = " and ".join(f"{name}.{key} = gone.{key}" for key in map(quoted, table.key))
    return _run(connection, f"delete from {name} using {aside} as gone where {is_same}").rowcount
