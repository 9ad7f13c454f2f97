"""The roles of configured readers: made, told from others' by a comment, and dropped."""

import contextlib
from collections.abc import Collection, Sequence
from typing import Any

import psycopg
from psycopg import errors

from extractors.errors import ConfigError
from extractors.naming import literal, quoted
from warehouse.engines import postgres_catalog as catalog

_OURS = "SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = %s"
# Rights on what is ours in this database, and on the database.
_REVOKED = """
SELECT format('REVOKE ALL ON SCHEMA %%I FROM %%I', nspname, rolname)
FROM pg_namespace, aclexplode(nspacl) JOIN pg_roles ON pg_roles.oid = grantee
WHERE rolname = %(role)s AND pg_has_role(nspowner, 'USAGE')
UNION SELECT format('REVOKE ALL ON %%s FROM %%I', pg_class.oid::regclass, rolname)
FROM pg_class, aclexplode(relacl) JOIN pg_roles ON pg_roles.oid = grantee
WHERE rolname = %(role)s AND pg_has_role(relowner, 'USAGE')
UNION SELECT format('REVOKE ALL ON DATABASE %%I FROM %%I', datname, rolname)
FROM pg_database, aclexplode(datacl) JOIN pg_roles ON pg_roles.oid = grantee
WHERE rolname = %(role)s AND datname = current_database() AND pg_has_role(datdba, 'USAGE')
"""


def role_of(name: str) -> str:
    """Return the role of a configured reader."""
    return f"bi_{name}"


def mark(connection: psycopg.Connection[Any]) -> str:
    """Return the comment of roles that are ours: roles are of a server, not of a database."""
    return f"Made by Commerce Warehouse for the database {connection.info.dbname}"


def ours(connection: psycopg.Connection[Any]) -> set[str]:
    """Return the roles that the warehouse of this database made."""
    return {str(row[0]) for row in connection.execute(_OURS, [mark(connection)])}


def require_ours(connection: psycopg.Connection[Any], roles: Sequence[str]) -> None:
    """Raise ConfigError where a role is there that is not ours: it is somebody's."""
    made = ours(connection)
    for role in roles:
        if role not in made and catalog.has(connection, "pg_roles", "rolname", role):
            raise ConfigError(
                f"publication.readers: the server has a role {role} that the warehouse did not"
                f" make; name the reader otherwise, or give the role to the warehouse:"
                f" {_handed_over(connection, role)}"
            )


def make(connection: psycopg.Connection[Any], roles: Sequence[str]) -> None:
    """Make the roles that are not there; nobody can log in as one that has no password yet."""
    require_ours(connection, roles)
    made = ours(connection)
    for role in roles:
        if role in made:
            continue
        try:
            with connection.transaction():
                catalog.run(
                    connection,
                    f"CREATE ROLE {quoted(role)} NOLOGIN; {_handed_over(connection, role)}",
                )
        except errors.InsufficientPrivilege:
            raise ConfigError(
                f"publication.readers: {connection.info.user} may not make the role {role}; have"
                f" it made: CREATE ROLE {role}; {_handed_over(connection, role)}"
            ) from None


def drop_others(connection: psycopg.Connection[Any], roles: Collection[str]) -> list[str]:
    """Drop the roles of ours that are not among `roles`, with their rights, and return them.

    One that owns something, or may not be dropped by us, stays without rights or a login.
    """
    others = sorted(ours(connection) - {*roles})
    for role in others:
        revoked = connection.execute(_REVOKED, {"role": role}).fetchall()
        if revoked:
            catalog.run(connection, ";".join(str(row[0]) for row in revoked))
        with contextlib.suppress(errors.InsufficientPrivilege):
            catalog.run(connection, f"ALTER ROLE {quoted(role)} NOLOGIN")
            with contextlib.suppress(errors.DependentObjectsStillExist):
                catalog.run(connection, f"DROP ROLE {quoted(role)}")
    return others


def _handed_over(connection: psycopg.Connection[Any], role: str) -> str:
    return f"COMMENT ON ROLE {role} IS {literal(mark(connection))}"
