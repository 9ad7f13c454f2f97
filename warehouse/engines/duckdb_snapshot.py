"""Hash tables by content, and copy the public schemas into a published file."""

import hashlib
import json
from pathlib import Path

import duckdb

from extractors.errors import AuditError
from extractors.naming import quoted
from warehouse.engines import duckdb_engine

TARGET = "published_version"


def tables(connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    """Return the base tables of a schema, by name."""
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
        " AND schema_name = ? AND NOT temporary ORDER BY table_name",
        [schema],
    ).fetchall()
    return [str(row[0]) for row in rows]


def _canonical(name: str, data_type: str) -> str:
    """Return the SQL of one column's canonical text: NULL stays apart from the empty string."""
    column = quoted(name)
    if data_type == "TIMESTAMP WITH TIME ZONE":
        text = f"strftime({column} AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%f')"
    elif data_type.startswith("TIMESTAMP"):
        text = f"strftime({column}, '%Y-%m-%d %H:%M:%S.%f')"
    elif data_type in {"DOUBLE", "FLOAT"}:
        text = f"format('{{:.11e}}', {column}::DOUBLE)"
    else:
        text = f"{column}::VARCHAR"
    return f"coalesce(strlen({text}) || ':' || {text}, '~')"


def _is_content(name: str) -> bool:
    return not name.startswith("_") and name not in {"posted_at", "run_id"}


def content_hash(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, condition: str = "true"
) -> tuple[int, str]:
    """Return the row count and the content hash of a table (DESIGN: as_of, content hash).

    Two tables have the same hash when they hold the same rows under the same column names and
    types, in whatever order, file or thread count they were written.
    """
    columns = [
        (str(name), str(data_type))
        for name, data_type in connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns()"
            " WHERE database_name = current_database() AND schema_name = ? AND table_name = ?"
            " ORDER BY column_index",
            [schema, table],
        ).fetchall()
        if _is_content(str(name))
    ]
    row_text = " || ".join(_canonical(name, data_type) for name, data_type in columns)
    halves = ", ".join(
        f"coalesce(sum(('0x' || substr(h, {start}, 15))::BIGINT::DECIMAL(38,0)), 0)::VARCHAR"
        for start in (1, 17)
    )
    row = connection.execute(
        f"SELECT count(*), {halves} FROM (SELECT md5({row_text}) AS h"
        f" FROM {quoted(schema, table)} WHERE {condition})"
    ).fetchone()
    assert row is not None
    digest = hashlib.sha256(json.dumps([columns, *row]).encode()).hexdigest()
    return int(row[0]), digest


def copy_public(
    connection: duckdb.DuckDBPyConnection, target: Path, selected: dict[str, list[str]]
) -> None:
    """Copy the tables (schema -> names) into a new file, and check it by opening it again."""
    duckdb_engine.attach_new(connection, target, TARGET)
    try:
        for schema, names in selected.items():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(TARGET, schema)}")
            for name in names:
                connection.execute(
                    f"CREATE TABLE {quoted(TARGET, schema, name)} AS"
                    f" SELECT * FROM {quoted(schema, name)}"
                )
                _copy_comments(connection, schema, name)
    finally:
        connection.execute(f"DETACH {TARGET}")


def _copy_comments(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
    """Carry the descriptions that dbt wrote on the table and its columns."""
    where = "database_name = current_database() AND schema_name = ? AND table_name = ?"
    for (comment,) in connection.execute(
        f"SELECT comment FROM duckdb_tables() WHERE {where} AND comment IS NOT NULL",
        [schema, table],
    ).fetchall():
        text = str(comment).replace("'", "''")
        connection.execute(f"COMMENT ON TABLE {quoted(TARGET, schema, table)} IS '{text}'")
    for name, comment in connection.execute(
        f"SELECT column_name, comment FROM duckdb_columns() WHERE {where} AND comment IS NOT NULL",
        [schema, table],
    ).fetchall():
        text = str(comment).replace("'", "''")
        connection.execute(
            f"COMMENT ON COLUMN {quoted(TARGET, schema, table, str(name))} IS '{text}'"
        )


def check_copy(path: Path, expected: dict[tuple[str, str], int]) -> None:
    """Open a written file as a reader would; AuditError where its row counts differ."""
    connection = duckdb_engine.published_database(path)
    try:
        for (schema, table), rows in expected.items():
            found = connection.execute(f"SELECT count(*) FROM {quoted(schema, table)}").fetchone()
            if found != (rows,):
                raise AuditError(
                    f"{path}: {schema}.{table} has {found} rows after writing, {rows} were built;"
                    " the version is not published; check the disk and run again"
                )
    finally:
        connection.close()
