"""Show a version to PostgreSQL's readers: schemas of views or tables, swapped by renames.

Of each version there are pinned schemas, `v000001_core` and so on, from which the public ones,
`core` and so on, are made: views on `store` as well, or copies with keys, which tools can see. A
reader's statement is of one version and waits for no swap: `postgres_swap` says how.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import errors

from extractors.errors import ConfigError
from extractors.naming import literal, quoted
from warehouse.engines import (
    postgres_aside,
    postgres_reader_roles,
    postgres_readers,
    postgres_swap,
)
from warehouse.engines import postgres_catalog as catalog
from warehouse.engines.postgres_aside import SUFFIX, VIEWS
from warehouse.engines.postgres_layout import FACTS, LAYOUT, META, pinned_name
from warehouse.engines.postgres_readers import Reader
from warehouse.engines.postgres_store import SCHEMA, Table

# A drop waits for whoever reads, and whoever reads next would wait for the drop.
_PATIENCE = "SET lock_timeout = '200ms'"


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


def require_usable(connection: psycopg.Connection[Any], readers: Sequence[Reader]) -> None:
    """Raise ConfigError where versions could not be published, or their readers be let in."""
    postgres_reader_roles.require_ours(connection, [reader.role for reader in readers])
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


def shown(connection: psycopg.Connection[Any]) -> tuple[str, str, str] | None:
    """Return the version that the public schemas show, what they are made of, and for whom."""
    if catalog.one(connection, "SELECT to_regclass('store.shown')", []) is None:
        return None
    # One of an earlier release has views, no readers, and no columns that say so.
    found = catalog.one(connection, "SELECT to_jsonb(shown) FROM store.shown", [])
    if not found:
        return None
    return found["version"], found.get("made_of", VIEWS), found.get("readers", "")


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


def show(
    connection: psycopg.Connection[Any],
    version: str,
    made_of: str = VIEWS,
    readers: Sequence[Reader] = (),
) -> None:
    """Make the public schemas those of a version that is pinned, in one transaction of renames.

    Made of `views`, or of `physical` tables with primary and foreign keys, each a copy; each of
    `readers` reads its part.
    """
    create_layout(connection)
    postgres_readers.settle(connection, readers)
    wanted = [name.removeprefix(f"{version}_") for name in catalog.pinned(connection, version)]
    owned = {str(row[0]) for row in connection.execute("SELECT schema_name FROM store.schemas")}
    for schema in wanted:
        if schema not in owned:
            catalog.require_ours(connection, schema, is_ours=False)
        aside = f"{schema}{SUFFIX}"
        catalog.require_ours(connection, aside, is_ours=catalog.is_marked(connection, aside))
    found = shown(connection)
    if found and found[1] == made_of == VIEWS and found[0] != version:
        postgres_swap.turn(connection, found[0], version, wanted, readers)
    postgres_aside.build(connection, version, wanted, made_of, readers)
    with connection.transaction():
        postgres_swap.rename(connection, owned | set(wanted), wanted)
        connection.execute("DELETE FROM store.shown")
        connection.execute(
            "INSERT INTO store.shown (version, made_of, readers) VALUES (%s, %s, %s)",
            [version, made_of, postgres_readers.digest(readers)],
        )


def collect(connection: psycopg.Connection[Any], kept: Collection[str]) -> list[str]:
    """Drop the versions that are not `kept`, schemas that were swapped away, and unused tables.

    What somebody reads just now, or has built something of their own on, stays for the next time.
    Returns what was to go and stayed.
    """
    stayed: list[str] = []
    create_layout(connection)
    connection.execute(_PATIENCE)
    current, *_ = shown(connection) or (None,)
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
    # A name that is ours no more, a reader's say, is anybody's again.
    connection.execute(
        "DELETE FROM store.schemas WHERE NOT EXISTS (SELECT FROM pg_namespace"
        " WHERE nspname = schema_name OR starts_with(nspname, schema_name || '__old_'))"
    )
    return stayed


def _drop_version(connection: psycopg.Connection[Any], version: str) -> None:
    for schema in catalog.pinned(connection, version):
        catalog.drop_schema(connection, schema)
    connection.execute("DELETE FROM store.readers WHERE version = %s", [version])
    connection.execute("DELETE FROM store.contents WHERE version = %s", [version])
    connection.execute("DELETE FROM store.versions WHERE version = %s", [version])
