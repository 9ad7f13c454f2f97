"""Let readers turn from one version to another: by renames, and so that no statement sees both."""

import secrets
import time
from collections.abc import Collection, Sequence
from typing import Any

import psycopg

from extractors.naming import quoted
from warehouse.engines import postgres_aside
from warehouse.engines import postgres_catalog as catalog
from warehouse.engines.postgres_aside import SUFFIX, VIEWS
from warehouse.engines.postgres_readers import Reader

# Seconds from a statement's first name to its snapshot, where others' statements cannot be seen,
# and at most: on a machine with six processes for each processor a quarter of one was too little.
_LOOKED_UP, _AT_MOST = 0.25, 5.0
# What began before a moment and still runs; what began long before has its snapshot.
_LOOKING_UP = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
  AND query_start BETWEEN %(moment)s::timestamptz - interval '10 s' AND %(moment)s
"""


def turn(
    connection: psycopg.Connection[Any],
    before: str,
    version: str,
    wanted: Sequence[str],
    readers: Sequence[Reader],
) -> None:
    """Make every statement of readers see one version or the other, whatever it joins.

    PostgreSQL looks up each name of a statement by itself, so that a rename in between gives it
    tables of two versions: 70 of 56,000 joins of three schemas did under 2,900 switches. So there
    are views first that show what `store.current` says, in which a statement has one snapshot;
    renames before and after change nothing that is seen.
    """
    with connection.transaction():
        # Of a publication that was killed here it is the later version already.
        connection.execute(
            "DELETE FROM store.current WHERE version NOT IN (%s, %s)", [before, version]
        )
        connection.execute(
            "INSERT INTO store.current SELECT %s WHERE NOT EXISTS (SELECT FROM store.current)",
            [before],
        )
    postgres_aside.build(connection, version, wanted, VIEWS, readers, before)
    with connection.transaction():
        rename(connection, wanted, wanted)
    _wait_for_snapshots(connection)
    # A prepared statement that was analysed during the renames keeps tables of both as its plan:
    # the rename that it met meanwhile is no reason to plan again, another change of schemas is.
    scratch = quoted(f"store__{secrets.token_hex(8)}")
    with connection.transaction():
        catalog.run(connection, f"CREATE SCHEMA {scratch}; DROP SCHEMA {scratch}")
    _wait_for_snapshots(connection)
    connection.execute("UPDATE store.current SET version = %s", [version])


def _wait_for_snapshots(connection: psycopg.Connection[Any]) -> None:
    """Wait until each statement that may have looked up the names before has its snapshot."""
    moment = catalog.one(connection, "SELECT clock_timestamp()", [])
    deadline = time.monotonic() + _AT_MOST
    time.sleep(_LOOKED_UP)
    while time.monotonic() < deadline:
        row = connection.execute(_LOOKING_UP, {"moment": moment}).fetchone()
        if row is None or row[0] == 0:
            return
        time.sleep(_LOOKED_UP / 10)


def rename(
    connection: psycopg.Connection[Any], schemas: Collection[str], wanted: Collection[str]
) -> None:
    """Set `schemas` aside and let what was built for those `wanted` take their names.

    The caller has a transaction open.
    """
    connection.execute("SET LOCAL lock_timeout = '10s'")
    turn = catalog.one(connection, "SELECT txid_current()", [])
    for schema in sorted(schemas):
        _rename(connection, schema, str(turn), is_wanted=schema in wanted)


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
        aside = quoted(f"{schema}{SUFFIX}")
        catalog.run(connection, f"ALTER SCHEMA {aside} RENAME TO {quoted(schema)}")
        connection.execute("INSERT INTO store.schemas VALUES (%s) ON CONFLICT DO NOTHING", [schema])
