"""Show a version to PostgreSQL's readers: schemas of views or tables, swapped by renames.

Of each version there are pinned schemas, `v000001_core` and so on, from which the public ones,
`core` and so on, are made: views on `store` as well, or copies with keys, which tools can see. A
reader's statement is of one version: it finds its views before or after the swap, and waits for
neither.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import errors

from extractors.errors import ConfigError
from extractors.naming import literal, quoted
from warehouse.engines import postgres_catalog as catalog
from warehouse.engines import postgres_keys
from warehouse.engines.postgres_layout import FACTS, LAYOUT, META
from warehouse.engines.postgres_store import SCHEMA, Table

# A drop waits for whoever reads, and whoever reads next would wait for the drop.
_PATIENCE = "SET lock_timeout = '200ms'"
VIEWS, PHYSICAL = "views", "physical"
_ASIDE = "__next"


def create_layout(connection: psycopg.Connection[Any]) -> None:
    """Make the schema `store` where it is not there, and the readers' role where that is allowed.

    A server that others administer may refuse the role: its administrator then makes it.
    ConfigError where somebody else has a schema `store`.
    """
    layout = catalog.one(connection, "SELECT to_regclass('store.versions')", [])
    catalog.require_ours(connection, SCHEMA, is_ours=layout is not None)
    with connection.transaction():
        connection.execute(LAYOUT)
    if not catalog.has(connection, "pg_roles", "rolname", catalog.READER):
        try:
            catalog.run(connection, f"CREATE ROLE {catalog.READER} NOLOGIN")
        except (errors.InsufficientPrivilege, errors.DuplicateObject):
            return


def require_usable(connection: psycopg.Connection[Any]) -> None:
    """Raise ConfigError where versions could not be published."""
    if not catalog.one(
        connection, "SELECT has_database_privilege(current_database(), 'CREATE')", []
    ):
        raise ConfigError(
            f"publication.postgres: {connection.info.user} may not create schemas in"
            f" {connection.info.dbname}; make it the owner of the database, or grant it CREATE"
        )


def published_at(connection: psycopg.Connection[Any], version: str) -> Any:
    """Return when the prepared version of this name was published, None where there is none."""
    if catalog.one(connection, "SELECT to_regclass('store.versions')", []) is None:
        return None
    return catalog.one(
        connection, "SELECT published_at FROM store.versions WHERE version = %s", [version]
    )


def shown(connection: psycopg.Connection[Any]) -> tuple[str, str] | None:
    """Return the version that the public schemas show, and what they are made of."""
    if catalog.one(connection, "SELECT to_regclass('store.shown')", []) is None:
        return None
    # One of an earlier release has views, and no column that says so.
    found = catalog.one(connection, "SELECT to_jsonb(shown) FROM store.shown", [])
    return (found["version"], found.get("made_of", VIEWS)) if found else None


def pin(
    connection: psycopg.Connection[Any],
    record: Mapping[str, Any],
    tables: Sequence[Table],
    comments: Mapping[tuple[str, str], tuple[str | None, Mapping[str, str]]],
) -> None:
    """Make the schemas of a version from tables that are in `store`, in one transaction.

    `record` is its publication's, `comments` gives a table's description and its columns'.
    """
    version = str(record["version"])
    only_in_file = {(t["schema"], t["table"]): t for t in record["tables"]}
    contents: list[list[Any]] = []
    for table in tables:
        only_in_file.pop((table.schema, table.name), None)
        facts = (table.rows, table.content_hash, table.stored_as)
        contents.append([version, table.schema, table.name, *facts])
    for (schema, name), listed in only_in_file.items():
        contents.append([version, schema, name, listed["rows"], listed["content_hash"], None])
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '10s'")
        # Of the same name may be one from before a restore, which readers are to be shown no more.
        _drop_version(connection, version)
        connection.execute("DELETE FROM store.shown WHERE version = %s", [version])
        connection.execute(
            "INSERT INTO store.versions VALUES (%s, %s, %s, %s)",
            [version, record["as_of"], record["published_at"], record["complete_up_to"]],
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO store.contents VALUES (%s, %s, %s, %s, %s, %s)", contents
            )
        _pin_schemas(connection, version, tables, comments)


def _pin_schemas(
    connection: psycopg.Connection[Any],
    version: str,
    tables: Sequence[Table],
    comments: Mapping[tuple[str, str], tuple[str | None, Mapping[str, str]]],
) -> None:
    for schema in sorted({*(table.schema for table in tables), META}):
        pinned = pinned_name(version, schema)
        script = [f"CREATE SCHEMA {quoted(pinned)}"]
        for table in tables:
            if table.schema == schema:
                query = f"SELECT * FROM {quoted(SCHEMA, table.stored_as)}"
                texts = comments.get((schema, table.name), (None, {}))
                script += catalog.view(pinned, table.name, query, *texts)
        if schema == META:
            for name, (query, comment, columns) in FACTS.items():
                of_version = query.format(version=literal(version))
                script += catalog.view(pinned, name, of_version, comment, columns)
        catalog.run(connection, ";".join([*script, *catalog.grants(connection, pinned)]))


def pinned_name(version: str, schema: str) -> str:
    """Return the name of a version's own schema."""
    return f"{version}_{schema}"


def show(connection: psycopg.Connection[Any], version: str, made_of: str = VIEWS) -> None:
    """Make the public schemas those of a version that is pinned, in one transaction of renames.

    Made of `views`, or of `physical` tables with primary and foreign keys, each a copy.
    """
    wanted = [name.removeprefix(f"{version}_") for name in catalog.pinned(connection, version)]
    owned = {str(row[0]) for row in connection.execute("SELECT schema_name FROM store.schemas")}
    for schema in wanted:
        if schema not in owned:
            catalog.require_ours(connection, schema, is_ours=False)
        aside = f"{schema}{_ASIDE}"
        catalog.require_ours(connection, aside, is_ours=catalog.is_marked(connection, aside))
    _build_next(connection, version, wanted, made_of)
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '10s'")
        turn = catalog.one(connection, "SELECT txid_current()", [])
        for schema in sorted(owned | set(wanted)):
            _rename(connection, schema, str(turn), is_wanted=schema in wanted)
        connection.execute("DELETE FROM store.shown")
        connection.execute("INSERT INTO store.shown VALUES (%s, %s)", [version, made_of])


def _rename(
    connection: psycopg.Connection[Any], schema: str, turn: str, *, is_wanted: bool
) -> None:
    if catalog.has(connection, "pg_namespace", "nspname", schema):
        old = quoted(f"{schema}__old_{turn}")
        # One that an earlier release made has no mark yet.
        catalog.run(
            connection,
            f"{catalog.mark(schema)}; ALTER SCHEMA {quoted(schema)} RENAME TO {old}",
        )
    if is_wanted:
        aside = quoted(f"{schema}{_ASIDE}")
        catalog.run(connection, f"ALTER SCHEMA {aside} RENAME TO {quoted(schema)}")
        connection.execute("INSERT INTO store.schemas VALUES (%s) ON CONFLICT DO NOTHING", [schema])


def collect(connection: psycopg.Connection[Any], kept: Collection[str]) -> list[str]:
    """Drop the versions that are not `kept`, schemas that were swapped away, and unused tables.

    What somebody reads just now, or has built something of their own on, stays for the next time.
    Returns what was to go and stayed.
    """
    stayed: list[str] = []
    connection.execute(_PATIENCE)
    current, _ = shown(connection) or (None, None)
    for (version,) in connection.execute("SELECT version FROM store.versions").fetchall():
        if version not in kept and version != current:
            with catalog.or_stays(stayed, version), connection.transaction():
                _drop_version(connection, version)
    stayed += drop_swapped(connection)
    for (table,) in connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'store'::regnamespace"
        " AND relname ~ '_[0-9a-f]{24}$'"
        " AND relname NOT IN (SELECT stored_as FROM store.contents WHERE stored_as IS NOT NULL)"
    ).fetchall():
        with catalog.or_stays(stayed, table):
            catalog.run(connection, f"DROP TABLE {quoted(SCHEMA, table)}")
    return stayed


def drop_swapped(connection: psycopg.Connection[Any]) -> list[str]:
    """Drop the schemas that were swapped away; returns those that stay for the next time."""
    stayed: list[str] = []
    connection.execute(_PATIENCE)
    for (schema,) in connection.execute(
        "SELECT nspname FROM pg_namespace, store.schemas"
        " WHERE starts_with(nspname, schema_name || '__old_')"
        " AND obj_description(oid, 'pg_namespace') = %s",
        [catalog.MARK],
    ).fetchall():
        with catalog.or_stays(stayed, schema), connection.transaction():
            catalog.drop_schema(connection, schema)
    return stayed


def _build_next(
    connection: psycopg.Connection[Any], version: str, schemas: Sequence[str], made_of: str
) -> None:
    """Make `<schema>__next` of each schema, whatever a killed publication left of them."""
    with connection.transaction():
        for schema in schemas:
            if catalog.has(connection, "pg_namespace", "nspname", f"{schema}{_ASIDE}"):
                catalog.drop_schema(connection, f"{schema}{_ASIDE}")
    with connection.transaction():
        for schema in schemas:
            _build_aside(connection, version, schema, made_of)
        if made_of == PHYSICAL:
            postgres_keys.add(connection, version, pinned_name(version, META), _ASIDE)
            _finish(connection, schemas)


def _build_aside(
    connection: psycopg.Connection[Any], version: str, schema: str, made_of: str
) -> None:
    """Make `<schema>__next` as the version's pinned schema is, descriptions included."""
    aside, kind = f"{schema}{_ASIDE}", "TABLE" if made_of == PHYSICAL else "VIEW"
    script = [f"CREATE SCHEMA {quoted(aside)}", catalog.mark(aside)]
    for name, query, comment, columns in catalog.views(connection, pinned_name(version, schema)):
        script += catalog.view(aside, name, query.rstrip(";"), comment, columns, kind)
    catalog.run(connection, ";".join([*script, *catalog.grants(connection, aside)]))


def _finish(connection: psycopg.Connection[Any], schemas: Sequence[str]) -> None:
    """Index the dates of the copies, by which reports filter, and have the planner know them."""
    for schema, table, dates in connection.execute(
        "SELECT table_schema, table_name,"
        " array_agg(column_name::text) FILTER (WHERE data_type = 'date')"
        " FROM information_schema.columns WHERE table_schema = ANY(%s)"
        " GROUP BY table_schema, table_name ORDER BY table_schema, table_name",
        [[f"{schema}{_ASIDE}" for schema in schemas]],
    ).fetchall():
        name = quoted(schema, table)
        for column in dates or ():
            catalog.run(connection, f"CREATE INDEX ON {name} ({quoted(column)})")
        catalog.run(connection, f"ANALYZE {name}")


def _drop_version(connection: psycopg.Connection[Any], version: str) -> None:
    for schema in catalog.pinned(connection, version):
        catalog.drop_schema(connection, schema)
    connection.execute("DELETE FROM store.contents WHERE version = %s", [version])
    connection.execute("DELETE FROM store.versions WHERE version = %s", [version])
