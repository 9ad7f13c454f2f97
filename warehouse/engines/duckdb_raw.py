"""Keep the raw tables: create and widen them, apply packages to them, keep their history."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from extractors.errors import SourceError
from extractors.naming import quoted
from extractors.package import Column
from warehouse.engines import duckdb_keys, duckdb_stream, duckdb_upsert
from warehouse.engines.duckdb_package import METADATA, SEQUENCE, Applied, Incoming, Stamp, count
from warehouse.engines.duckdb_parts import normal_types

HISTORY = "__history"


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """A column that raw gained or whose type was widened."""

    column: str
    change: str
    old_type: str | None
    new_type: str | None


class TypeConflictError(SourceError):
    """A package's column has a type that the loaded values cannot become: the refused `change`."""

    def __init__(self, message: str, change: SchemaChange | None = None) -> None:
        super().__init__(message)
        self.change = change


def schema_of(source: str) -> str:
    """Return the raw schema of a source."""
    return f"raw_{source}"


def columns_of(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, database: str | None = None
) -> dict[str, str]:
    """Return column -> type of a table, empty where it does not exist."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = coalesce(?, current_database()) AND schema_name = ?"
        " AND table_name = ? ORDER BY column_index",
        [database, schema, table],
    ).fetchall()
    return {str(name): str(data_type) for name, data_type in rows}


def ensure_table(
    connection: duckdb.DuckDBPyConnection, source: str, entity: str, columns: Sequence[Column]
) -> list[SchemaChange]:
    """Create the raw table, add new columns and widen changed types; return what changed.

    A column that the package no longer has stays, with NULL in later rows. A number's type that
    holds those of the package stays too: another cell, or a later package, needed the wider one.
    """
    schema = schema_of(source)
    existing = columns_of(connection, schema, entity)
    wanted = normal_types(connection, columns)
    name = quoted(schema, entity)
    if not existing:
        body = ", ".join(
            f"{quoted(column)} {data_type}" for column, data_type in (*wanted.items(), *METADATA)
        )
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        connection.execute(f"CREATE TABLE {name} ({body})")
        return [SchemaChange(column, "added", None, kind) for column, kind in wanted.items()]
    changes: list[SchemaChange] = []
    for column, kind in wanted.items():
        old = existing.get(column)
        if old is None:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN {quoted(column)} {kind}")
            changes.append(SchemaChange(column, "added", None, kind))
        elif old != kind and not _holds(old, kind):
            try:
                _refuse_rounding(connection, name, column, old, kind)
                connection.execute(
                    f"ALTER TABLE {name} ALTER COLUMN {quoted(column)} SET DATA TYPE {kind}"
                )
            except duckdb.Error:  # its text shows a value
                raise TypeConflictError(
                    f"{schema}.{entity}.{column}: the loaded values are {old} and cannot become"
                    f" {kind}; take back what changed for it under `pii` or `columns` in"
                    " warehouse.yml",
                    SchemaChange(column, "refused", old, kind),
                ) from None
            changes.append(SchemaChange(column, "widened", old, kind))
    return changes


def _holds(old: str, kind: str) -> bool:
    """Return whether an exact number's type takes every value of another one as it is."""
    whole, scale = _digits(old, whole=_FULL_DIGITS)
    wanted, wanted_scale = _digits(kind, whole=_MOST_DIGITS)
    return wanted > 0 and whole >= wanted and scale >= wanted_scale


_MOST_DIGITS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}
_FULL_DIGITS = {kind: digits - 1 for kind, digits in _MOST_DIGITS.items()}


def _digits(kind: str, whole: Mapping[str, int]) -> tuple[int, int]:
    """Return how many digits a type has before and behind the point, (0, 0) for other types."""
    decimal = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind)
    if decimal:
        return int(decimal[1]) - int(decimal[2]), int(decimal[2])
    return whole.get(kind, 0), 0


def _refuse_rounding(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, old: str, kind: str
) -> None:
    """Raise duckdb.ConversionException where a loaded value would become another one."""
    if old.startswith(("VARCHAR", "DOUBLE", "FLOAT")):  # texts and doubles have other spellings
        return
    value = quoted(column)
    if connection.execute(
        f"SELECT 1 FROM {table} WHERE {value}::{kind}::{old} IS DISTINCT FROM {value} LIMIT 1"
    ).fetchone():
        raise duckdb.ConversionException


def apply_parts(
    connection: duckdb.DuckDBPyConnection,
    incoming: Incoming,
    stamp: Stamp,
    *,
    covers_all: bool,
    history: bool,
) -> Applied:
    """Make the raw table agree with a package, and add the row versions to its history.

    SourceError, and nothing is changed, where a key is missing or repeated.
    """
    duckdb_keys.refuse_unusable(connection, incoming)
    if not incoming.has_sequence:
        applied = duckdb_upsert.upsert(connection, incoming, stamp, covers_all=covers_all)
        if history:
            _keep_history(connection, incoming, stamp, incoming.table)
        return applied
    existing = columns_of(connection, schema_of(incoming.source), incoming.entity)
    stored = [name for name in existing if name not in dict(METADATA)]
    applied = duckdb_stream.apply_changes(connection, incoming, stamp, stored)
    if history:
        _keep_history(connection, incoming, stamp, "versions")
    connection.execute("DROP TABLE versions")
    return applied


def _keep_history(
    connection: duckdb.DuckDBPyConnection, incoming: Incoming, stamp: Stamp, written: str
) -> None:
    """Append the row versions that a load wrote, deletions too, to `<entity>__history`.

    Their order is `_source_position`, `_load_id`, `_sequence`. A history that begins later than
    its table begins with the rows that this load left as they were.
    """
    schema, name = schema_of(incoming.source), f"{incoming.entity}{HISTORY}"
    kept = columns_of(connection, schema, incoming.entity)
    if written != incoming.table:
        kept[SEQUENCE] = columns_of(connection, "main", written, "temp")[SEQUENCE]
    own = dict(METADATA)
    ensure_table(
        connection,
        incoming.source,
        name,
        [Column(each, kind, each, kind) for each, kind in kept.items() if each not in own],
    )
    target = quoted(schema, name)
    if not count(connection, f"(FROM {target} LIMIT 1)"):
        connection.execute(
            f"INSERT INTO {target} BY NAME FROM {incoming.table} WHERE _load_id <> ?",
            [stamp.load_id],
        )
    connection.execute(
        f"INSERT INTO {target} BY NAME SELECT {', '.join(map(quoted, kept))} FROM {written}"
        " WHERE _load_id = ?",
        [stamp.load_id],
    )


def live_rows(connection: duckdb.DuckDBPyConnection, source: str, entity: str, cell: str) -> int:
    """Return how many rows of a cell the source still has."""
    table = quoted(schema_of(source), entity)
    return count(connection, f"{table} WHERE _cell = ? AND _deleted_at IS NULL", [cell])
