"""What readers may do in PostgreSQL: read the public schemas, for a while, and nothing else."""

from typing import Any

import psycopg

from extractors.naming import literal, quoted
from warehouse.engines import postgres_catalog as catalog

# Of a hundred connections; the rest is left to publication and to whoever looks after the server.
CONNECTIONS = 80
TIMEOUT = "5min"
# What anybody may call by default and a reader must not: they write, hold locks that others wait
# for or that fill the lock table, or write to the log of changes.
_FUNCTIONS = r"""
SELECT format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', oid::regprocedure) FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
  AND (proname ~ '^(lo_|lowrite$|loread$|pg_(try_)?advisory_)'
       OR proname IN ('pg_logical_emit_message', 'pg_notify'))
  AND has_function_privilege('public', oid, 'EXECUTE')
"""


def close(connection: psycopg.Connection[Any]) -> None:
    """Take from everybody, in this database, what PostgreSQL lets everybody do."""
    database = quoted(connection.info.dbname)
    script = [
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC",
        *(str(row[0]) for row in connection.execute(_FUNCTIONS)),
    ]
    with connection.transaction():
        catalog.run(connection, ";".join(script))


def set_reader(connection: psycopg.Connection[Any], password: str) -> None:
    """Make the readers' role, or make it again what it was."""
    role, database = catalog.READER, quoted(connection.info.dbname)
    # Scrambled here: the server's log may hold a statement that failed.
    scrambled = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    script = [
        *([] if catalog.has(connection, "pg_roles", "rolname", role) else [f"CREATE ROLE {role}"]),
        f"ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
        f" CONNECTION LIMIT {CONNECTIONS} PASSWORD {literal(scrambled)} VALID UNTIL 'infinity'",
        f"ALTER ROLE {role} RESET ALL",
        f"ALTER ROLE {role} IN DATABASE {database} RESET ALL",
        *(
            f"ALTER ROLE {role} SET {name} = {literal(value)}"
            for name, value in {
                "default_transaction_read_only": "on",
                "statement_timeout": TIMEOUT,
                "lock_timeout": TIMEOUT,
                "idle_in_transaction_session_timeout": "10min",
                "TimeZone": "UTC",
            }.items()
        ),
        f"GRANT CONNECT ON DATABASE {database} TO {role}",
    ]
    with connection.transaction():
        catalog.run(connection, ";".join(script))
