"""Primary and foreign keys of tables in PostgreSQL, from which BI tools draw a model."""

from typing import Any

import psycopg

from extractors.naming import literal, quoted
from warehouse.engines import postgres_catalog as catalog

# A table's key is an index in `store` as well, except where its values are too long for one.
_KEYS = """
SELECT keys.table_schema, keys.table_name, array_agg(column_name::text ORDER BY ordinal)
FROM {keys} AS keys JOIN store.contents USING (table_schema, table_name)
WHERE version = {version} AND EXISTS (
    SELECT FROM pg_index
    WHERE indisunique AND indrelid = to_regclass('store.' || quote_ident(stored_as)))
GROUP BY keys.table_schema, keys.table_name ORDER BY keys.table_schema, keys.table_name
"""
_REFERENCES = """
SELECT table_schema, table_name, column_name, to_schema, to_table, to_column
FROM {references} ORDER BY table_schema, table_name, column_name, to_schema, to_table
"""
KEYS, REFERENCES = "keys", "relationships"


def add(connection: psycopg.Connection[Any], version: str, meta: str, suffix: str) -> None:
    """Give the tables in schemas `<schema><suffix>` the keys and references of a version.

    `meta` is the version's pinned schema, whose views `keys` and `relationships` name them. Of a
    reference no row is checked: a column may hold a member, such as `(none)`, that is no key. One
    whose table is not here, being only in the DuckDB file, is left out.
    """
    primary: set[tuple[str, str, str]] = set()
    for schema, table, columns in _rows(
        connection, meta, KEYS, _KEYS.format(keys=quoted(meta, KEYS), version=literal(version))
    ):
        key = ", ".join(map(quoted, columns))
        catalog.run(
            connection, f"ALTER TABLE {quoted(schema + suffix, table)} ADD PRIMARY KEY ({key})"
        )
        if len(columns) == 1:
            primary.add((schema, table, columns[0]))
    present = {
        (row[0], row[1])
        for row in connection.execute(
            "SELECT table_schema, table_name FROM store.contents"
            " WHERE version = %s AND stored_as IS NOT NULL",
            [version],
        )
    }
    for schema, table, column, *target in _rows(
        connection, meta, REFERENCES, _REFERENCES.format(references=quoted(meta, REFERENCES))
    ):
        if tuple(target) in primary and (schema, table) in present:
            catalog.run(
                connection,
                f"ALTER TABLE {quoted(schema + suffix, table)} ADD FOREIGN KEY ({quoted(column)})"
                f" REFERENCES {quoted(target[0] + suffix, target[1])} ({quoted(target[2])})"
                " NOT VALID",
            )


def _rows(
    connection: psycopg.Connection[Any], meta: str, name: str, query: str
) -> list[tuple[Any, ...]]:
    """Return the rows of a query on a view of `meta`; versions of earlier releases lack some."""
    if catalog.one(connection, "SELECT to_regclass(%s)", [quoted(meta, name)]) is None:
        return []
    return connection.execute(query.encode()).fetchall()
