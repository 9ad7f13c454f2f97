"""Load tables of a published file into PostgreSQL's schema `store`, once for each content."""

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import psycopg

from extractors.errors import AuditError
from extractors.naming import quoted
from warehouse.engines import postgres_engine, postgres_types

SCHEMA = "store"
# Two connections keep two cores of a server busy; a third gained nothing.
_AT_ONCE = 2
# PostgreSQL refuses index entries of more than 2,704 bytes.
_INDEXED_BYTES = 2000
# A role's own time-out is meant for its queries. ANALYZE reads 300 rows for each of the target: for
# 9,000 rows a table it takes a third of the time that it takes for 30,000.
_SETTINGS = ("SET statement_timeout = 0", "SET default_statistics_target = 30")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a version: where it stands in the file, its content, and its name in `store`."""

    schema: str
    name: str
    content_hash: str
    rows: int
    columns: tuple[postgres_types.Column, ...]
    key: tuple[str, ...] = ()
    stored_as: str = field(init=False)

    def __post_init__(self) -> None:
        described = [self.content_hash, self.key, [[c.name, c.type] for c in self.columns]]
        digest = hashlib.sha256(json.dumps(described).encode()).hexdigest()
        # 96 bits tell contents apart; the start of the name tells people what it is.
        object.__setattr__(self, "stored_as", f"{self.name[:30]}_{digest[:24]}")


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of a table's content before it is loaded: bytes of its longest key, figures."""

    longest_key: int
    figures: tuple[Any, ...]


def stored(connection: psycopg.Connection[Any]) -> set[str]:
    """Return the names of the tables in `store`."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace ="
        " (SELECT oid FROM pg_namespace WHERE nspname = %s)",
        [SCHEMA],
    )
    return {str(row[0]) for row in rows}


def load(conninfo: str, file: duckdb.DuckDBPyConnection, tables: Iterable[Table]) -> None:
    """Load tables that are not there yet; each appears whole, indexed and analysed, or not.

    AuditError where the values would not arrive as they are, or did not.
    """
    missing = {table.stored_as: table for table in tables}.values()
    # The largest first: both connections then end at about the same time.
    waiting = deque(sorted(missing, key=lambda table: -table.rows))
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        done = [
            threads.submit(_load_waiting, conninfo, file.cursor(), waiting)
            for _ in range(min(_AT_ONCE, len(missing)))
        ]
        for one in done:
            one.result()


def _load_waiting(conninfo: str, file: duckdb.DuckDBPyConnection, waiting: deque[Table]) -> None:
    with postgres_engine.told(), adbc.connect(conninfo) as connection:
        with connection.cursor() as cursor:
            for setting in _SETTINGS:
                cursor.execute(setting)
        connection.commit()
        while (table := _next(waiting)) is not None:
            _load(connection, file, table)


def _next(waiting: deque[Table]) -> Table | None:
    try:
        return waiting.popleft()
    except IndexError:  # also where the other connection was faster
        return None


def _load(connection: adbc.Connection, file: duckdb.DuckDBPyConnection, table: Table) -> None:
    target = quoted(SCHEMA, table.stored_as)
    columns = ", ".join(f"{quoted(column.name)} {column.type}" for column in table.columns)
    values = ", ".join(f"{column.select} AS {quoted(column.name)}" for column in table.columns)
    facts = _facts(file, table)
    with connection.cursor() as cursor:
        # One that another publisher, killed or not, is still writing is waited for.
        try:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {target} ({columns})")
        except adbc.IntegrityError:  # it came to be meanwhile
            connection.rollback()
        if _is_empty(cursor, target):
            reader = file.sql(
                f"SELECT {values} FROM {quoted(table.schema, table.name)}"
            ).to_arrow_reader(100_000)
            cursor.adbc_ingest(table.stored_as, reader, mode="append", db_schema_name=SCHEMA)
            for index in _indexes(table, facts.longest_key):
                cursor.execute(index)
            cursor.execute(f"ANALYZE {target}")
            _compare(cursor, table, facts.figures)
    connection.commit()


def _facts(file: duckdb.DuckDBPyConnection, table: Table) -> _Facts:
    """Return what one reading of the file tells; AuditError where a value cannot be stored."""
    checked = [column for column in table.columns if column.unfit]
    texts = [c.name for c in table.columns if c.name in table.key and c.type == "text"]
    length = " + ".join([*(f"coalesce(strlen({quoted(name)}), 0)" for name in texts), "0"])
    asked = [
        *(f"count(CASE WHEN {column.unfit} THEN 1 END)" for column in checked),
        f"coalesce(max({length}), 0)",
        *_figures(table),
    ]
    [row] = file.execute(
        f"SELECT {', '.join(asked)} FROM {quoted(table.schema, table.name)}"
    ).fetchall()
    for column, rows in zip(checked, row[: len(checked)], strict=True):
        if rows:
            raise AuditError(
                f"{table.schema}.{table.name}.{column.name}: {column.reason} in {rows} rows, which"
                " PostgreSQL cannot store; correct it in the mart"
            )
    longest, *figures = row[len(checked) :]
    return _Facts(int(longest), tuple(figures))


def _figures(table: Table) -> list[str]:
    """Return how many rows a table has, how many values each column, and sums."""
    names = [quoted(column.name) for column in table.columns]
    sums = [f"sum({quoted(c.name)})" for c in table.columns if c.is_exact_number]
    return ["count(*)", *(f"count({name})" for name in names), *sums]


def _is_empty(cursor: Any, target: str) -> bool:
    cursor.execute(f"SELECT NOT EXISTS (SELECT 1 FROM {target})")
    return bool(cursor.fetchone()[0])


def _indexes(table: Table, longest_key: int) -> list[str]:
    """Return the statements for the key's index, and one for each date that reports filter by."""
    target = quoted(SCHEMA, table.stored_as)
    dates = [(c.name,) for c in table.columns if c.type == "date"]
    statements = [
        f"CREATE INDEX ON {target} ({', '.join(map(quoted, names))})"
        for names in dates
        if names != table.key
    ]
    if table.key and longest_key <= _INDEXED_BYTES:
        key = ", ".join(map(quoted, table.key))
        statements.append(f"CREATE UNIQUE INDEX ON {target} ({key})")
    return statements


def _compare(cursor: adbc.Cursor, table: Table, here: Sequence[Any]) -> None:
    """Ask for the figures of the table that was loaded; AuditError where one differs."""
    figures = _figures(table)
    # The driver has no numbers of PostgreSQL's numeric, only their text.
    texts = ", ".join(f"CAST({figure} AS text)" for figure in figures)
    cursor.execute(f"SELECT {texts} FROM {quoted(SCHEMA, table.stored_as)}")
    there: Sequence[str | None] | None = cursor.fetchone()
    assert there is not None
    for figure, expected, found in zip(figures, here, there, strict=True):
        if expected != (None if found is None else Decimal(found)):
            raise AuditError(
                f"{table.schema}.{table.name}: {figure} is {found} in PostgreSQL and {expected} in"
                " the version; it is not shown there; run again"
            )
