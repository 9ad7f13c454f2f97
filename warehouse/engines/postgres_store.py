"""Load tables of a published file into PostgreSQL's schema `store`, once for each content."""

import hashlib
import json
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
    missing = list({table.stored_as: table for table in tables}.values())
    for table in missing:
        _refuse_unfit(file, table)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        done = [threads.submit(_load, conninfo, file.cursor(), table) for table in missing]
        for one in done:
            one.result()


def _refuse_unfit(file: duckdb.DuckDBPyConnection, table: Table) -> None:
    checked = [column for column in table.columns if column.unfit]
    if not checked:
        return
    counts = ", ".join(f"count(CASE WHEN {column.unfit} THEN 1 END)" for column in checked)
    row = file.execute(f"SELECT {counts} FROM {quoted(table.schema, table.name)}").fetchone()
    assert row is not None
    for column, rows in zip(checked, row, strict=True):
        if rows:
            raise AuditError(
                f"{table.schema}.{table.name}.{column.name}: {column.reason} in {rows} rows, which"
                " PostgreSQL cannot store; correct it in the mart"
            )


def _load(conninfo: str, file: duckdb.DuckDBPyConnection, table: Table) -> None:
    target = quoted(SCHEMA, table.stored_as)
    columns = ", ".join(f"{quoted(column.name)} {column.type}" for column in table.columns)
    values = ", ".join(f"{column.select} AS {quoted(column.name)}" for column in table.columns)
    with postgres_engine.told(), adbc.connect(conninfo) as connection:
        with connection.cursor() as cursor:
            # One that another, killed publisher is still writing is waited for.
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {target} ({columns})")
            if not _is_empty(cursor, target):
                return
            reader = file.sql(
                f"SELECT {values} FROM {quoted(table.schema, table.name)}"
            ).to_arrow_reader(100_000)
            cursor.adbc_ingest(table.stored_as, reader, mode="append", db_schema_name=SCHEMA)
            for index in _indexes(file, table):
                cursor.execute(index)
            cursor.execute(f"ANALYZE {target}")
            _compare(file, cursor, table)
        connection.commit()


def _is_empty(cursor: Any, target: str) -> bool:
    cursor.execute(f"SELECT NOT EXISTS (SELECT 1 FROM {target})")
    return bool(cursor.fetchone()[0])


def _indexes(file: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    """Return the statements for the key's index, and one for each date that reports filter by."""
    target = quoted(SCHEMA, table.stored_as)
    dates = [(c.name,) for c in table.columns if c.type == "date"]
    statements = [
        f"CREATE INDEX ON {target} ({', '.join(map(quoted, names))})"
        for names in dates
        if names != table.key
    ]
    if table.key and _longest_key(file, table) <= _INDEXED_BYTES:
        key = ", ".join(map(quoted, table.key))
        statements.append(f"CREATE UNIQUE INDEX ON {target} ({key})")
    return statements


def _longest_key(file: duckdb.DuckDBPyConnection, table: Table) -> int:
    texts = [c.name for c in table.columns if c.name in table.key and c.type == "text"]
    length = " + ".join([*(f"coalesce(strlen({quoted(name)}), 0)" for name in texts), "0"])
    row = file.execute(
        f"SELECT coalesce(max({length}), 0) FROM {quoted(table.schema, table.name)}"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _compare(file: duckdb.DuckDBPyConnection, cursor: Any, table: Table) -> None:
    """Count rows, and values and sums of each column, in both; AuditError where they differ."""
    names = [quoted(column.name) for column in table.columns]
    sums = [f"sum({quoted(c.name)})" for c in table.columns if c.is_exact_number]
    figures = ["count(*)", *(f"count({name})" for name in names), *sums]
    here = file.execute(
        f"SELECT {', '.join(figures)} FROM {quoted(table.schema, table.name)}"
    ).fetchone()
    # The driver has no numbers of PostgreSQL's numeric, only their text.
    texts = ", ".join(f"CAST({figure} AS text)" for figure in figures)
    cursor.execute(f"SELECT {texts} FROM {quoted(SCHEMA, table.stored_as)}")
    there: Sequence[str | None] = cursor.fetchone()
    assert here is not None
    for figure, expected, found in zip(figures, here, there, strict=True):
        if expected != (None if found is None else Decimal(found)):
            raise AuditError(
                f"{table.schema}.{table.name}: {figure} is {found} in PostgreSQL and {expected} in"
                " the version; it is not shown there; run again"
            )
