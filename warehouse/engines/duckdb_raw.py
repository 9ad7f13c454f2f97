"""Apply the parts of a load package to a raw table: set-based, inside the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from extractors.errors import SourceError
from extractors.naming import literal, quoted
from extractors.package import Column

METADATA = (
    ("_cell", "VARCHAR"),
    ("_load_id", "VARCHAR"),
    ("_loaded_at", "TIMESTAMPTZ"),
    ("_source_position", "BIGINT"),
    ("_deleted_at", "TIMESTAMPTZ"),
)


HISTORY = "__history"


@dataclass(frozen=True, slots=True)
class Applied:
    """What a package changed in raw: rows by kind of change."""

    inserted: int
    updated: int
    deleted: int

    @property
    def changed(self) -> int:
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """A column that raw gained or whose type was widened."""

    column: str
    change: str
    old_type: str | None
    new_type: str


class TypeConflictError(SourceError):
    """A package's column has a type that the loaded values cannot become."""


def schema_of(source: str) -> str:
    """Return the raw schema of a source."""
    return f"raw_{source}"


def columns_of(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    """Return column -> type of a table, empty where it does not exist."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = current_database() AND schema_name = ? AND table_name = ?"
        " ORDER BY column_index",
        [schema, table],
    ).fetchall()
    return {str(name): str(data_type) for name, data_type in rows}


def _normal_type(connection: duckdb.DuckDBPyConnection, data_type: str) -> str:
    row = connection.execute(f"SELECT typeof(CAST(NULL AS {data_type}))").fetchone()
    assert row is not None
    return str(row[0])


def ensure_table(
    connection: duckdb.DuckDBPyConnection, source: str, entity: str, columns: Sequence[Column]
) -> list[SchemaChange]:
    """Create the raw table, add new columns and widen changed types; return what changed.

    A column that the package no longer has stays, with NULL in later rows.
    """
    schema = schema_of(source)
    existing = columns_of(connection, schema, entity)
    wanted = {column.name: _normal_type(connection, column.type) for column in columns}
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
        elif old != kind:
            try:
                connection.execute(
                    f"ALTER TABLE {name} ALTER COLUMN {quoted(column)} SET DATA TYPE {kind}"
                )
            except duckdb.Error:  # its text shows a value
                raise TypeConflictError(
                    f"{schema}.{entity}.{column}: the loaded values are {old} and cannot become"
                    f" {kind}; take back what changed for it under `pii` or `columns` in"
                    " warehouse.yml"
                ) from None
            changes.append(SchemaChange(column, "widened", old, kind))
    return changes


def _incoming(parts: Sequence[Path], columns: Sequence[Column], has_deletes: bool) -> str:
    files = "[" + ", ".join(literal(str(part)) for part in parts) + "]"
    selected = [quoted(column.name) for column in columns]
    if has_deletes:
        selected.append(quoted("_deleted"))
    return f"SELECT {', '.join(selected)} FROM read_parquet({files}, union_by_name = true)"


def apply_parts(
    connection: duckdb.DuckDBPyConnection,
    *,
    source: str,
    entity: str,
    cell: str,
    parts: Sequence[Path],
    columns: Sequence[Column],
    key: Sequence[str],
    covers_all: bool,
    has_deletes: bool,
    load_id: str,
    loaded_at: datetime,
    source_position: int,
) -> Applied:
    """Make the raw table's live rows of one cell agree with the package.

    Rows equal to the live raw row keep their own metadata. With `covers_all`, live rows that the
    package does not hold are marked deleted; so are the keys of rows marked `_deleted`.
    """
    table = quoted(schema_of(source), entity)
    names = [quoted(column.name) for column in columns]
    stamp = [cell, load_id, loaded_at, source_position]
    into = f"INSERT INTO {table} ({', '.join(names)}, {', '.join(n for n, _ in METADATA[:4])})"
    raw_rows = connection.execute(
        f"SELECT count(*) FROM {table} WHERE _cell = ?", [cell]
    ).fetchone()
    if parts and not has_deletes and raw_rows == (0,):
        connection.execute(
            f"{into} SELECT {', '.join(names)}, ?, ?, ?, ? FROM"
            f" ({_incoming(parts, columns, has_deletes)})",
            stamp,
        )
        _refuse_repeated_keys(connection, f"{table} WHERE _cell = ?", [cell], key, source, entity)
        return Applied(_count(connection, f"{table} WHERE _cell = ?", [cell]), 0, 0)

    connection.execute("DROP TABLE IF EXISTS incoming")
    if parts:
        connection.execute(
            f"CREATE TEMP TABLE incoming AS {_incoming(parts, columns, has_deletes)}"
        )
    else:
        shape = ", ".join(f"{quoted(column.name)} {column.type}" for column in columns)
        connection.execute(f"CREATE TEMP TABLE incoming ({shape})")
    upserts = "incoming WHERE NOT coalesce(_deleted, false)" if has_deletes else "incoming"
    _refuse_repeated_keys(connection, upserts, [], key, source, entity)
    same_key = " AND ".join(f"r.{quoted(k)} = i.{quoted(k)}" for k in key)
    live = "r._cell = $cell AND r._deleted_at IS NULL"
    differs = " OR ".join(f"r.{name} IS DISTINCT FROM i.{name}" for name in names)
    connection.execute("DROP TABLE IF EXISTS changed")
    connection.execute(
        f"CREATE TEMP TABLE changed AS SELECT i.*, r._cell IS NOT NULL AS _known"
        f" FROM (SELECT * FROM {upserts}) AS i LEFT JOIN {table} AS r ON {same_key} AND {live}"
        f" WHERE r._cell IS NULL OR {differs}",
        {"cell": cell},
    )
    gone = [
        f"EXISTS (SELECT 1 FROM incoming AS i WHERE i._deleted AND {same_key})"
    ] * has_deletes + [f"NOT EXISTS (SELECT 1 FROM incoming AS i WHERE {same_key})"] * covers_all
    deleted = 0
    if gone:
        deleted = _affected(
            connection,
            f"UPDATE {table} AS r SET _deleted_at = $loaded_at, _load_id = $load_id,"
            f" _loaded_at = $loaded_at, _source_position = $position"
            f" WHERE {live} AND ({' OR '.join(gone)})",
            {
                "cell": cell,
                "loaded_at": loaded_at,
                "load_id": load_id,
                "position": source_position,
            },
        )
    updated = _count(connection, "changed WHERE _known", [])
    total = _count(connection, "changed", [])
    if total:
        connection.execute(
            f"DELETE FROM {table} AS r USING changed AS i WHERE r._cell = $cell AND {same_key}",
            {"cell": cell},
        )
        connection.execute(f"{into} SELECT {', '.join(names)}, ?, ?, ?, ? FROM changed", stamp)
    connection.execute("DROP TABLE incoming")
    connection.execute("DROP TABLE changed")
    return Applied(total - updated, updated, deleted)


def keep_history(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    entity: str,
    columns: Sequence[Column],
    load_id: str,
) -> None:
    """Append the row versions that a load wrote, deletions too, to `<entity>__history`.

    A history that begins later than its table begins with the table's rows as they stand.
    """
    history = f"{entity}{HISTORY}"
    ensure_table(connection, source, history, columns)
    target, table = quoted(schema_of(source), history), quoted(schema_of(source), entity)
    is_new = _count(connection, target, []) == 0
    condition = "true" if is_new else "_load_id = ?"
    connection.execute(
        f"INSERT INTO {target} BY NAME SELECT * FROM {table} WHERE {condition}",
        [] if is_new else [load_id],
    )


def live_rows(connection: duckdb.DuckDBPyConnection, source: str, entity: str, cell: str) -> int:
    """Return how many rows of a cell the source still has."""
    table = quoted(schema_of(source), entity)
    return _count(connection, f"{table} WHERE _cell = ? AND _deleted_at IS NULL", [cell])


def _count(connection: duckdb.DuckDBPyConnection, rows: str, values: list[object]) -> int:
    row = connection.execute(f"SELECT count(*) FROM {rows}", values).fetchone()
    assert row is not None
    return int(row[0])


def _affected(
    connection: duckdb.DuckDBPyConnection, statement: str, values: dict[str, object]
) -> int:
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    return int(row[0])


def _refuse_repeated_keys(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    values: list[object],
    key: Sequence[str],
    source: str,
    entity: str,
) -> None:
    keys = ", ".join(quoted(k) for k in key)
    repeated = connection.execute(
        f"SELECT {keys}, count(*) FROM {rows} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1", values
    ).fetchone()
    if repeated:
        shown = ", ".join(f"{k} = {v}" for k, v in zip(key, repeated, strict=False))
        raise SourceError(
            f"{source}.{entity}: key {list(key)} is not unique, {repeated[-1]} rows have {shown};"
            " name the columns that identify a row under `key:` in warehouse.yml"
        )


def tombstone_column(parts: Sequence[Path], connection: duckdb.DuckDBPyConnection) -> bool:
    """Return whether any of the parts marks deleted rows."""
    for part in parts:
        row = connection.execute(
            "SELECT count(*) FROM parquet_schema(?) WHERE name = '_deleted'", [str(part)]
        ).fetchone()
        if row and row[0]:
            return True
    return False
