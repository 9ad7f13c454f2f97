"""Ask PostgreSQL's catalog, and write views with their descriptions and rights."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg

from extractors.naming import literal, quoted

READER = "bi_reader"
"""The role that reads every public schema."""


def views(
    connection: psycopg.Connection[Any], schema: str
) -> Iterator[tuple[str, str, str | None, dict[str, str]]]:
    """Yield name, query, description and descriptions of columns of each view of a schema."""
    yield from connection.execute(
        "SELECT relname, pg_get_viewdef(c.oid), obj_description(c.oid, 'pg_class'),"
        " (SELECT coalesce(json_object_agg(attname, col_description(c.oid, attnum)), '{}')"
        "  FROM pg_attribute WHERE attrelid = c.oid AND col_description(c.oid, attnum) IS NOT NULL)"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace"
        " WHERE relkind = 'v' AND nspname = %s ORDER BY relname",
        [schema],
    ).fetchall()


def view(
    schema: str, name: str, query: str, comment: str | None, columns: Mapping[str, str]
) -> Iterator[str]:
    """Yield the statements that make a view."""
    view = quoted(schema, name)
    yield f"CREATE VIEW {view} AS {query}"
    if comment:
        yield f"COMMENT ON VIEW {view} IS {literal(comment)}"
    for column, text in columns.items():
        yield f"COMMENT ON COLUMN {view}.{quoted(column)} IS {literal(text)}"


def grants(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    """Return the statements that let readers read a schema; none where there is no such role."""
    if not has(connection, "pg_roles", "rolname", READER):
        return []
    return [
        f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {READER}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {quoted(schema)} TO {READER}",
    ]


def pinned(connection: psycopg.Connection[Any], version: str) -> list[str]:
    """Return the names of a version's own schemas."""
    rows = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) ORDER BY nspname",
        [f"{version}_"],
    )
    return [str(row[0]) for row in rows]


def drop_schema(connection: psycopg.Connection[Any], schema: str) -> None:
    """Drop a schema of our views; never what somebody built on them."""
    for name, *_ in views(connection, schema):
        run(connection, f"DROP VIEW {quoted(schema, name)}")
    run(connection, f"DROP SCHEMA {quoted(schema)}")


def run(connection: psycopg.Connection[Any], script: str) -> None:
    """Execute statements that hold names and descriptions, quoted already."""
    connection.execute(script.encode())


def has(connection: psycopg.Connection[Any], catalog: str, column: str, name: str) -> bool:
    """Return whether a table of the catalog has a row of this name."""
    found = one(connection, f"SELECT 1 FROM pg_catalog.{catalog} WHERE {column} = %s", [name])
    return found is not None


def one(connection: psycopg.Connection[Any], query: str, values: Sequence[Any]) -> Any:
    """Return the first value of a query's first row, None where it has none."""
    row = connection.execute(query.encode(), values).fetchone()
    return row[0] if row else None
