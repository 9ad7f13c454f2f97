"""Let readers of a domain or of some cells read their part in PostgreSQL, and nothing else.

A reader without cells reads schemas that are there for all. One with cells has schemas of its own,
`uk_core` and `v000012_uk_core`, of views that show the rows of its cells alone; they are barriers:
no condition of a query sees a row before the view has let it through.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from extractors.naming import literal, quoted
from warehouse.engines import postgres_catalog as catalog
from warehouse.engines import postgres_reader_roles as roles
from warehouse.engines.postgres_layout import META, PUBLICATION, pinned_name

# What is pinned, and the schemas that are ours beside: public ones, and those built next.
_PLACES = """
SELECT nspname, regexp_replace(nspname, '^v[0-9]+_|__next$', '')
FROM pg_namespace
WHERE nspname IN (
    SELECT version || '_' || table_schema FROM store.contents
    UNION ALL SELECT version || '_' || schema_name FROM store.readers
    UNION ALL SELECT version || %(meta)s FROM store.versions)
  OR obj_description(oid, 'pg_namespace') = %(mark)s AND nspname !~ '__old_[0-9]+$'
"""
_RELATIONS = """
SELECT nspname, relname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE nspname = ANY(%s) AND relkind IN ('r', 'v') AND pg_get_userbyid(relowner) = current_user
"""
_RIGHTS = """
SELECT rolname, nspname, '' FROM pg_namespace, aclexplode(nspacl) AS right_of
JOIN pg_roles ON pg_roles.oid = grantee
WHERE rolname = ANY(%(roles)s) AND pg_get_userbyid(nspowner) = current_user
UNION SELECT rolname, nspname, relname
FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace, aclexplode(relacl) AS right_of
JOIN pg_roles ON pg_roles.oid = grantee
WHERE rolname = ANY(%(roles)s) AND pg_get_userbyid(relowner) = current_user
"""
_OF_CELLS = """
SELECT relname FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s) AND relkind = 'v'
  AND attname = 'cell' AND atttypid = 'text'::regtype
"""

# Two commands that change the same rights would fail each other.
_ALONE = "SET LOCAL lock_timeout = '10s'; LOCK TABLE store.readers IN SHARE ROW EXCLUSIVE MODE"

Right = tuple[str, str, str]  # role, schema, relation ('' is the schema itself)


@dataclass(frozen=True, slots=True)
class Reader:
    """A role `bi_<name>`; without `cells` it reads all rows of its schemas."""

    name: str
    schemas: tuple[str, ...]
    cells: tuple[str, ...] = ()

    @property
    def role(self) -> str:
        return roles.role_of(self.name)

    @property
    def own(self) -> dict[str, str]:
        """Return the schemas of its own: name -> the schema whose rows they show."""
        if not self.cells:
            return {}
        return {f"{self.name}_{schema}": schema for schema in {*self.schemas, META}}

    def reads(self, base: str, relation: str) -> bool:
        """Return whether it may read a relation of a public schema, or of one of its own."""
        if self.cells:
            return base in self.own
        return base in self.schemas or (base == META and relation in {"", PUBLICATION})


def digest(readers: Sequence[Reader]) -> str:
    """Return what changes with the readers, '' where there are none."""
    if not readers:
        return ""
    described = sorted([r.name, sorted(r.schemas), sorted(r.cells)] for r in readers)
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()[:24]


def settle(connection: psycopg.Connection[Any], readers: Sequence[Reader]) -> None:
    """Make in every version that is pinned what readers read, with their rights to it.

    It waits for nobody who reads: a schema of its own that a reader has no more is renamed, and
    dropped with those that were swapped away. Roles that are configured no more are dropped.
    """
    roles.make(connection, [reader.role for reader in readers])
    for (version,) in connection.execute("SELECT version FROM store.versions").fetchall():
        with connection.transaction():
            connection.execute(_ALONE)
            _pin(connection, version, readers)
    grant(connection, readers)
    roles.drop_others(connection, [reader.role for reader in readers])


def grant(connection: psycopg.Connection[Any], readers: Sequence[Reader]) -> None:
    """Give readers the rights that they lack, and take those that they have no more."""
    with connection.transaction():
        connection.execute(_ALONE)
        if script := _changes(connection, readers):
            catalog.run(connection, ";".join(script))


def _changes(connection: psycopg.Connection[Any], readers: Sequence[Reader]) -> list[str]:
    """Return the statements that make the rights that there are those that should be."""
    names = {*(reader.role for reader in readers), *roles.ours(connection)}
    places = {
        str(schema): str(base)
        for schema, base in connection.execute(
            _PLACES, {"mark": catalog.MARK, "meta": f"_{META}"}
        ).fetchall()
    }
    wanted: set[Right] = set()
    for schema, relation in [
        *((schema, "") for schema in places),
        *connection.execute(_RELATIONS, [[*places]]).fetchall(),
    ]:
        wanted |= {
            (reader.role, schema, relation)
            for reader in readers
            if reader.reads(places[schema], relation)
        }
    found: set[Right] = set(connection.execute(_RIGHTS, {"roles": [*names]}).fetchall())
    return [
        *(f"REVOKE ALL ON {_place(right)} FROM {quoted(right[0])}" for right in found - wanted),
        *(
            f"GRANT {'SELECT' if right[2] else 'USAGE'} ON {_place(right)} TO {quoted(right[0])}"
            for right in wanted - found
        ),
    ]


def _place(right: Right) -> str:
    _, schema, relation = right
    return quoted(schema, relation) if relation else f"SCHEMA {quoted(schema)}"


def _pin(connection: psycopg.Connection[Any], version: str, readers: Sequence[Reader]) -> None:
    made: Mapping[str, str] = dict(
        connection.execute(
            "SELECT schema_name, made_as FROM store.readers WHERE version = %s", [version]
        ).fetchall()
    )
    wanted = {own: reader for reader in readers for own in reader.own}
    for own, made_as in made.items():
        if own not in wanted or digest([wanted[own]]) != made_as:
            _set_aside(connection, version, own)
    for own, reader in wanted.items():
        if made.get(own) != digest([reader]):
            pinned = pinned_name(version, own)
            catalog.require_ours(connection, pinned, is_ours=False)
            script = [f"CREATE SCHEMA {quoted(pinned)}", catalog.mark(pinned)]
            script += _views(connection, version, own, reader)
            catalog.run(connection, ";".join(script))
            connection.execute(
                "INSERT INTO store.readers VALUES (%s, %s, %s)", [version, own, digest([reader])]
            )


def _views(
    connection: psycopg.Connection[Any], version: str, own: str, reader: Reader
) -> Iterator[str]:
    """Yield the statements that make one schema of a reader's own.

    What has no column `cell` may be of other cells, so it is not there.
    """
    base = reader.own[own]
    of_cells = {
        row[0] for row in connection.execute(_OF_CELLS, [pinned_name(version, base)]).fetchall()
    }
    cells = ", ".join(map(literal, reader.cells))
    for name, query, comment, columns, _ in catalog.views(connection, pinned_name(version, base)):
        if base == META and name == PUBLICATION:
            shown = query.rstrip(";")
        elif name in of_cells and base in reader.schemas:
            shown = f"SELECT * FROM ({query.rstrip(';')}) AS of_all WHERE cell IN ({cells})"
        else:
            continue
        yield from catalog.view(
            pinned_name(version, own), name, shown, comment, columns, is_barrier=True
        )


def _set_aside(connection: psycopg.Connection[Any], version: str, own: str) -> None:
    """Rename a schema to what `drop_swapped` drops when nobody reads it."""
    pinned = pinned_name(version, own)
    if catalog.is_marked(connection, pinned):
        turn = catalog.one(connection, "SELECT txid_current()", [])
        old = quoted(f"{own}__old_{turn}")
        catalog.run(connection, f"ALTER SCHEMA {quoted(pinned)} RENAME TO {old}")
        connection.execute("INSERT INTO store.schemas VALUES (%s) ON CONFLICT DO NOTHING", [own])
    connection.execute(
        "DELETE FROM store.readers WHERE version = %s AND schema_name = %s", [version, own]
    )
