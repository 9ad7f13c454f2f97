"""Ask PostgreSQL's catalog, and write views with their descriptions and rights."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import errors

from extractors.errors import ConfigError
from extractors.naming import literal, quoted
from warehouse.engines.postgres_layout import META

READER = "bi_reader"
"""The role that reads every public schema."""
# The comment of a schema that the warehouse made and replaces: others may be named like it.
MARK = "Made by Commerce Warehouse, and replaced by it; keep what is yours elsewhere"

# References from a schema's tables, and to them from schemas that go or are yet to come with it.
_REFERENCES = """
SELECT conrelid::regclass::text, quote_ident(conname)
FROM pg_constraint
JOIN pg_class AS c ON c.oid = conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS t ON t.oid = confrelid JOIN pg_namespace AS o ON o.oid = t.relnamespace
WHERE contype = 'f' AND (n.nspname = %s OR (o.nspname = %s AND n.nspname ~ '__(old_[0-9]+|next)$'))
"""


def views(
    connection: psycopg.Connection[Any], schema: str
) -> Iterator[tuple[str, str, str | None, dict[str, str], bool]]:
    """Yield name, query, description, those of columns, and if it is a barrier, of each view."""
    yield from connection.execute(
        "SELECT relname, pg_get_viewdef(c.oid), obj_description(c.oid, 'pg_class'),"
        " (SELECT coalesce(json_object_agg(attname, col_description(c.oid, attnum)), '{}')"
        "  FROM pg_attribute"
        "  WHERE attrelid = c.oid AND col_description(c.oid, attnum) IS NOT NULL),"
        " coalesce('security_barrier=true' = ANY(reloptions), false)"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace"
        " WHERE relkind = 'v' AND nspname = %s ORDER BY relname",
        [schema],
    ).fetchall()


def view(
    schema: str,
    name: str,
    query: str,
    comment: str | None,
    columns: Mapping[str, str],
    kind: str = "VIEW",
    *,
    is_barrier: bool = False,
) -> Iterator[str]:
    """Yield the statements that make a view, or a table (`kind`) of what it would show."""
    view = quoted(schema, name)
    barrier = " WITH (security_barrier = true)" if is_barrier else ""
    yield f"CREATE {kind} {view}{barrier} AS {query}"
    if comment:
        yield f"COMMENT ON {kind} {view} IS {literal(comment)}"
    for column, text in columns.items():
        yield f"COMMENT ON COLUMN {view}.{quoted(column)} IS {literal(text)}"


def grants(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    """Return the statements that let `bi_reader` read a schema; none where it is not there."""
    if not has(connection, "pg_roles", "rolname", READER):
        return []
    return [
        f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {READER}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {quoted(schema)} TO {READER}",
    ]


def pinned(connection: psycopg.Connection[Any], version: str) -> list[str]:
    """Return the names of a version's own schemas; others may have named theirs like it."""
    rows = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname IN ("
        "  SELECT version || '_' || table_schema FROM store.contents WHERE version = %s"
        "  UNION ALL SELECT version || '_' || schema_name FROM store.readers WHERE version = %s"
        "  UNION ALL SELECT %s) ORDER BY nspname",
        [version, version, f"{version}_{META}"],
    )
    return [str(row[0]) for row in rows]


def drop_schema(connection: psycopg.Connection[Any], schema: str) -> None:
    """Drop a schema of our views or tables; never what somebody built on them, or put beside."""
    for name, *_ in views(connection, schema):
        run(connection, f"DROP VIEW {quoted(schema, name)}")
    for table, reference in connection.execute(_REFERENCES, [schema, schema]).fetchall():
        run(connection, f"ALTER TABLE {table} DROP CONSTRAINT {reference}")
    for (name,) in connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace ="
        " (SELECT oid FROM pg_namespace WHERE nspname = %s)"
        " AND pg_get_userbyid(relowner) = current_user",
        [schema],
    ).fetchall():
        run(connection, f"DROP TABLE {quoted(schema, name)}")
    run(connection, f"DROP SCHEMA {quoted(schema)}")


def mark(schema: str) -> str:
    """Return the statement that marks a schema as made by the warehouse."""
    return f"COMMENT ON SCHEMA {quoted(schema)} IS {literal(MARK)}"


def is_marked(connection: psycopg.Connection[Any], schema: str) -> bool:
    """Return whether a schema is there that the warehouse made."""
    query = (
        "SELECT 1 FROM pg_namespace WHERE nspname = %s"
        " AND obj_description(oid, 'pg_namespace') = %s"
    )
    return one(connection, query, [schema, MARK]) is not None


def require_ours(connection: psycopg.Connection[Any], schema: str, *, is_ours: bool) -> None:
    """Raise ConfigError where a schema is there that is not ours."""
    if not is_ours and has(connection, "pg_namespace", "nspname", schema):
        raise ConfigError(
            f"publication.postgres: the database has a schema {schema} that the warehouse did"
            " not make; name a database of its own"
        )


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


class or_stays:  # noqa: N801  reads as the block it opens
    """Note what could not be dropped now."""

    def __init__(self, stayed: list[str], name: str) -> None:
        self._stayed, self._name = stayed, name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        if kind is None or not issubclass(
            kind, errors.LockNotAvailable | errors.DependentObjectsStillExist
        ):
            return False
        self._stayed.append(self._name)
        return True
