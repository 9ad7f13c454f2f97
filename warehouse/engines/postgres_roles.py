"""What readers may do in PostgreSQL: read the public schemas, for a while, and nothing else."""

from collections.abc import Sequence
from typing import Any

import psycopg

from extractors.naming import literal, quoted
from warehouse.engines import postgres_catalog as catalog

# Of a hundred connections; the rest is left to publication and to whoever looks after the server.
CONNECTIONS = 80
TIMEOUT = "5min"
# What a reader's sorts and joins may write beside, together; no reader can change it.
TEMPORARY_FILES = "10GB"
# What anybody may call by default and a reader must not: they write, hold locks that others wait
# for or that fill the lock table, or write to the log of changes.
_FUNCTIONS = r"""
SELECT format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', oid::regprocedure) FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
  AND (proname ~ '^(lo_|lowrite$|loread$|pg_(try_)?advisory_)'
       OR proname IN ('pg_logical_emit_message', 'pg_notify'))
  AND has_function_privilege('public', oid, 'EXECUTE')
"""

# PostgreSQL lets any role lift its own time-out, so one that is over it is ended from outside.
_OVERLONG = """
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE usename = ANY(%s) AND datname = current_database() AND state = 'active'
  AND query_start < now() - %s::interval
"""


def end_overlong(
    connection: psycopg.Connection[Any], roles: Sequence[str], timeout: str = TIMEOUT
) -> int:
    """Cancel the statements of readers that run for longer than they may; return how many."""
    return len(connection.execute(_OVERLONG, [[*roles], timeout]).fetchall())


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


def set_reader(connection: psycopg.Connection[Any], role: str, password: str) -> None:
    """Make a reader's role, or make it again what it was.

    Where somebody else looks after the server only what any maker of roles may set.
    """
    database = quoted(connection.info.dbname)
    is_superuser = catalog.one(connection, "SELECT current_setting('is_superuser')", []) == "on"
    # Scrambled here: the server's log may hold a statement that failed.
    scrambled = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    script = [
        *([] if catalog.has(connection, "pg_roles", "rolname", role) else [f"CREATE ROLE {role}"]),
        *(
            [
                f"ALTER ROLE {role} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS",
            ]
            if is_superuser
            else []
        ),
        f"ALTER ROLE {role} LOGIN CONNECTION LIMIT {CONNECTIONS} "
        f" PASSWORD {literal(scrambled)} VALID UNTIL 'infinity'",
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
                **({"temp_file_limit": TEMPORARY_FILES} if is_superuser else {}),
            }.items()
        ),
    ]
    with connection.transaction():
        catalog.run(connection, ";".join(script))
        # Most databases let everybody connect, and only their owner may say so of one.
        query = "SELECT has_database_privilege(%s, current_database(), 'CONNECT')"
        if not catalog.one(connection, query, [role]):
            catalog.run(connection, f"GRANT CONNECT ON DATABASE {database} TO {role}")
