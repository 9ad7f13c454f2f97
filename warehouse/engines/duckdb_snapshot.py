"""Hash tables by content, and copy the public schemas into a published file."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import duckdb

from extractors.errors import AuditError
from extractors.naming import literal, quoted
from warehouse.engines import duckdb_engine

TARGET = "published_version"
INTEGERS = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
)
WITHOUT_COMMA = frozenset(
    (*INTEGERS, "BOOLEAN", "DATE", "DOUBLE", "FLOAT", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
)


def tables(connection: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> dict[str, list[str]]:
    """Return the base tables of each of the schemas that has any, by name."""
    rows = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables()"
        " WHERE database_name = current_database() AND NOT temporary ORDER BY table_name"
    ).fetchall()
    found = {schema: [name for of, name in rows if of == schema] for schema in schemas}
    return {schema: names for schema, names in found.items() if names}


def text_of(name: str, data_type: str) -> str:
    """Return the SQL of one column's text: doubles to 12 digits, times as UTC microseconds."""
    column = quoted(name)
    if data_type in {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP"}:
        # A sixth of the cost of a formatted time; infinity has no microseconds.
        return f"coalesce(epoch_us({column})::VARCHAR, {column}::VARCHAR)"
    if data_type in {"DOUBLE", "FLOAT"}:
        return f"format('{{:.11e}}', {column}::DOUBLE)"
    return f"{column}::VARCHAR"


def _row_text(columns: Sequence[tuple[str, str]]) -> str:
    """Return the SQL of a row's canonical text, which tells its columns apart and NULL from ''.

    Numbers, times and truth values end in a comma, NULL being nothing; other types are
    `length:text`, NULL being `~`. One concat, which skips what is NULL, with lengths looked up
    rather than written: half the time of a chain of `||`.
    """
    lengths = "[" + ", ".join(f"'{length}:'" for length in range(1, 41)) + "]"
    pieces = ["NULL"]
    for name, data_type in columns:
        text = text_of(name, data_type)
        if data_type in WITHOUT_COMMA or data_type.startswith("DECIMAL"):
            pieces += [text, "','"]
        else:
            length = f"coalesce({lengths}[strlen({text})], strlen({text}) || ':', '~')"
            pieces += [length, text]
    return f"concat({', '.join(pieces)})"


def _digit_sums(rows: str) -> str:
    """Return the query for the count and the sums of hex digits 1-15 and 17-31 of md5s `n`.

    md5_number holds the bytes last first: turning each half round by shifts and dropping its last
    digit gives what reading the digits from md5's text gives, for a tenth of the time.
    """
    halves = ("a", "b")
    query = f"SELECT (n & {2**64 - 1})::UBIGINT AS a, (n >> 64)::UBIGINT AS b FROM ({rows})"
    for width, mask in ((8, 0x00FF00FF00FF00FF), (16, 0x0000FFFF0000FFFF), (32, 0xFFFFFFFF)):
        swapped = ", ".join(
            f"(({half} & {mask}::UBIGINT) << {width}) | (({half} >> {width}) & {mask}::UBIGINT)"
            f" AS {half}"
            for half in halves
        )
        query = f"SELECT {swapped} FROM ({query})"
    sums = ", ".join(f"coalesce(sum({half} >> 4), 0)::VARCHAR" for half in halves)
    return f"SELECT count(*), {sums} FROM ({query})"


def is_content(name: str) -> bool:
    """Return whether a column counts when two tables are compared."""
    return not name.startswith("_") and name not in {"posted_at", "run_id"}


def content_hash(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, condition: str = "true"
) -> tuple[int, str]:
    """Return the row count and the content hash of a table (DESIGN: as_of, content hash).

    Two tables have the same hash when they hold the same rows under the same column names and
    types, in whatever order, file or thread count they were written.
    """
    described = connection.execute(f"DESCRIBE {quoted(schema, table)}").fetchall()
    columns = [(str(row[0]), str(row[1])) for row in described if is_content(str(row[0]))]
    row = connection.execute(
        _digit_sums(
            f"SELECT md5_number({_row_text(columns)}) AS n"
            f" FROM {quoted(schema, table)} WHERE {condition}"
        )
    ).fetchone()
    assert row is not None
    digest = hashlib.sha256(json.dumps([columns, *row]).encode()).hexdigest()
    return int(row[0]), digest


def text_hash(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> tuple[int, str]:
    """Return the row count and a hash of every column of a small table, none left out."""
    described = connection.execute(f"DESCRIBE {quoted(schema, table)}").fetchall()
    row = connection.execute(
        "SELECT count(*), sha256(coalesce(string_agg(n, '' ORDER BY n), ''))"
        f" FROM (SELECT md5(to_json(t)::VARCHAR) AS n FROM {quoted(schema, table)} AS t)"
    ).fetchone()
    assert row is not None
    columns = [[str(column[0]), str(column[1])] for column in described]
    return int(row[0]), hashlib.sha256(json.dumps([columns, *row]).encode()).hexdigest()


def copy_public(
    connection: duckdb.DuckDBPyConnection, target: Path, selected: dict[str, list[str]]
) -> dict[tuple[str, str], int]:
    """Copy the tables (schema -> names) into a new file; return how many rows each was given."""
    copied: dict[tuple[str, str], int] = {}
    duckdb_engine.attach_new(connection, target, TARGET)
    try:
        for schema, names in selected.items():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(TARGET, schema)}")
            for name in names:
                row = connection.execute(
                    f"CREATE TABLE {quoted(TARGET, schema, name)} AS"
                    f" SELECT * FROM {quoted(schema, name)}"
                ).fetchone()
                assert row is not None
                copied[schema, name] = int(row[0])
        _copy_comments(connection, copied.keys())
    finally:
        connection.execute(f"DETACH {TARGET}")
    return copied


def describe(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    texts: Mapping[str, tuple[str, Mapping[str, str]]],
) -> None:
    """Write what each table, and each column of it, is about where readers find it."""
    script = ["BEGIN"]
    for table, (text, columns) in texts.items():
        named = quoted(schema, table)
        script.append(f"COMMENT ON TABLE {named} IS {literal(text)}")
        script += [
            f"COMMENT ON COLUMN {named}.{quoted(column)} IS {literal(about)}"
            for column, about in columns.items()
        ]
    connection.execute("; ".join([*script, "COMMIT"]))


def _copy_comments(
    connection: duckdb.DuckDBPyConnection, tables: Collection[tuple[str, str]]
) -> None:
    """Carry the descriptions that dbt wrote on the tables and their columns.

    Two questions for all of them: each goes through the whole catalog.
    """
    for kind, source, column in (
        ("TABLE", "duckdb_tables()", ""),
        ("COLUMN", "duckdb_columns()", ", column_name"),
    ):
        for comment, *name in connection.execute(
            f"SELECT comment, schema_name, table_name{column} FROM {source}"
            " WHERE database_name = current_database() AND comment IS NOT NULL"
        ).fetchall():
            if (name[0], name[1]) in tables:
                connection.execute(
                    f"COMMENT ON {kind} {quoted(TARGET, *name)} IS {literal(str(comment))}"
                )


def check_copy(path: Path, expected: dict[tuple[str, str], int]) -> None:
    """Open a written file as a reader would; AuditError where its row counts differ."""
    connection = duckdb_engine.published_database(path)
    try:
        counts = " UNION ALL ".join(
            f"SELECT {i}, count(*) FROM {quoted(*table)}" for i, table in enumerate(expected)
        )
        found = dict(connection.execute(counts).fetchall())
        for i, ((schema, table), rows) in enumerate(expected.items()):
            if found[i] != rows:
                raise AuditError(
                    f"{path}: {schema}.{table} has {found[i]} rows after writing, {rows} were"
                    " built; the version is not published; check the disk and run again"
                )
    finally:
        connection.close()
