"""Build the schemas that are shown next, aside: readers see them when they are whole."""

from collections.abc import Sequence
from typing import Any

import psycopg

from extractors.naming import literal, quoted
from warehouse.engines import postgres_catalog as catalog
from warehouse.engines import postgres_keys, postgres_readers
from warehouse.engines.postgres_layout import META, pinned_name
from warehouse.engines.postgres_readers import Reader

_COLUMNS = """
SELECT relname,
  array_agg(attname || ' ' || format_type(atttypid, atttypmod) ORDER BY attnum)
FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE attnum > 0 AND relkind = 'v' AND nspname = %s GROUP BY relname
"""
VIEWS, PHYSICAL = "views", "physical"
SUFFIX = "__next"


def build(
    connection: psycopg.Connection[Any],
    version: str,
    schemas: Sequence[str],
    made_of: str,
    readers: Sequence[Reader],
    before: str | None = None,
) -> None:
    """Make `<schema>__next` of each schema, whatever a killed publication left of them.

    With a version `before` each view shows that one or the other, whichever `store.current` names
    when a statement takes its snapshot.
    """
    with connection.transaction():
        for schema in schemas:
            if catalog.has(connection, "pg_namespace", "nspname", f"{schema}{SUFFIX}"):
                catalog.drop_schema(connection, f"{schema}{SUFFIX}")
    own = {name for reader in readers for name in reader.own}
    with connection.transaction():
        for schema in schemas:
            _build_one(connection, version, schema, made_of, before)
            if schema not in own:
                catalog.run(connection, ";".join(catalog.grants(connection, f"{schema}{SUFFIX}")))
        if made_of == PHYSICAL:
            postgres_keys.add(connection, version, pinned_name(version, META), SUFFIX)
            _finish(connection, schemas)
        postgres_readers.grant(connection, readers)


def _build_one(
    connection: psycopg.Connection[Any],
    version: str,
    schema: str,
    made_of: str,
    before: str | None,
) -> None:
    """Make `<schema>__next` as the version's pinned schema is, descriptions included.

    A view of some cells stays one: a copy of its rows would need keys and indexes for each reader.
    """
    aside = f"{schema}{SUFFIX}"
    script = [f"CREATE SCHEMA {quoted(aside)}", catalog.mark(aside)]
    earlier = _same_columns(connection, before, version, schema) if before else {}
    for name, whole, comment, columns, is_barrier in catalog.views(
        connection, pinned_name(version, schema)
    ):
        query = whole.rstrip(";")
        if earlier.get(name, query) != query:
            query = (
                f"SELECT * FROM ({earlier[name]}) AS before WHERE {_is_current(str(before))}"
                f" UNION ALL SELECT * FROM ({query}) AS after WHERE {_is_current(version)}"
            )
        kind = "TABLE" if made_of == PHYSICAL and not is_barrier else "VIEW"
        script += catalog.view(aside, name, query, comment, columns, kind, is_barrier=is_barrier)
    catalog.run(connection, ";".join(script))


def _is_current(version: str) -> str:
    return f"(SELECT version FROM store.current) = {literal(version)}"


def _same_columns(
    connection: psycopg.Connection[Any], before: str, version: str, schema: str
) -> dict[str, str]:
    """Return the queries of an earlier version's views that have the columns of a later one's."""
    columns = [
        dict(connection.execute(_COLUMNS, [pinned_name(one, schema)]).fetchall())
        for one in (before, version)
    ]
    return {
        name: query.rstrip(";")
        for name, query, *_ in catalog.views(connection, pinned_name(before, schema))
        if columns[0][name] == columns[1].get(name)
    }


def _finish(connection: psycopg.Connection[Any], schemas: Sequence[str]) -> None:
    """Index the dates of the copies, by which reports filter, and have the planner know them."""
    for schema, table, dates in connection.execute(
        "SELECT table_schema, table_name,"
        " array_agg(column_name::text) FILTER (WHERE data_type = 'date')"
        " FROM information_schema.columns JOIN information_schema.tables"
        " USING (table_schema, table_name)"
        " WHERE table_schema = ANY(%s) AND table_type = 'BASE TABLE'"
        " GROUP BY table_schema, table_name ORDER BY table_schema, table_name",
        [[f"{schema}{SUFFIX}" for schema in schemas]],
    ).fetchall():
        name = quoted(schema, table)
        for column in dates or ():
            catalog.run(connection, f"CREATE INDEX ON {name} ({quoted(column)})")
        catalog.run(connection, f"ANALYZE {name}")
