"""Take and export a snapshot, with the facts that place it in the source's history."""

from typing import Any

import psycopg

from extractors.errors import SourceError
from extractors.relational.connection import APPLICATION
from extractors.relational.positions import Facts
from extractors.relational.reading import Readers
from extractors.relational.types import INFINITE_DAYS, INFINITE_MICROSECONDS

# Our own readers write nothing. A prepared transaction does not tell when it began.
_HELD_BACK = """
select coalesce(extract(epoch from clock_timestamp() - least(
         (select min(xact_start) from pg_stat_activity
          where backend_type = 'client backend' and pid <> pg_backend_pid()
            and datname = current_database() and application_name <> %s),
         (select min(prepared) from pg_prepared_xacts where database = current_database())
       )), 0)::float8
"""

# Beginnings of other users' transactions show only to members of pg_read_all_stats.
_VISIBLE = """
select current_setting('is_superuser') = 'on' or pg_has_role('pg_read_all_stats', 'usage')
"""

# All received is replayed: no lag, unless nothing is being received.
_LAG = """
select case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
                 and exists (select from pg_stat_wal_receiver) then 0
            else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) end::float8
"""

_LSN = """
select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
             else pg_current_wal_insert_lsn() end - '0/0'::pg_lsn)::bigint
"""

# The control file's timelines lag a promotion; the WAL's own name and the receiver do not.
_TAKEN = """
select pg_export_snapshot(),
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
       (select system_identifier::text from pg_control_system()),
       case when pg_is_in_recovery()
            then greatest((select timeline_id from pg_control_checkpoint()),
                          (select min_recovery_end_timeline from pg_control_recovery()),
                          (select received_tli from pg_stat_wal_receiver))
            else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end,
       current_setting('server_version'), pg_is_in_recovery(), current_database()::text
"""

_PROBE = """
select 'infinity'::timestamptz as a, '-infinity'::timestamptz as b, 'infinity'::timestamp as c,
       '-infinity'::timestamp as d, 'infinity'::date as e, '-infinity'::date as f
"""


def held_back(connection: "psycopg.Connection[Any]", *, has_heartbeat: bool) -> float:
    """Return for how many seconds rows may already be stamped that no snapshot can see yet.

    Who reads on a standby writes nothing; there the replay lag counts, unless a heartbeat tells
    better how old its data are.
    """
    if not _one(connection, "select pg_is_in_recovery()"):
        return max(float(_one(connection, _HELD_BACK, [APPLICATION])), 0)
    return 0.0 if has_heartbeat else max(float(_one(connection, _LAG) or 0), 0)


def lsn(connection: "psycopg.Connection[Any]") -> int:
    """Return the WAL position that the next snapshot has passed."""
    return int(_one(connection, _LSN) or 0)


def taken(connection: "psycopg.Connection[Any]", lsn_before: int) -> tuple[str, Facts]:
    """Take the snapshot of the open transaction; return its exported name and its facts."""
    row = connection.execute(_TAKEN).fetchone()
    assert row is not None
    identity, xmin, xmax, system, timeline, version, in_recovery, database = row
    return identity, Facts(
        system_identifier=system,
        timeline=timeline,
        server_version=version,
        in_recovery=in_recovery,
        replay_lag_s=_one(connection, _LAG) if in_recovery else None,
        xmin=xmin,
        xmax=xmax,
        database=database,
        lsn_before=lsn_before,
        lsn_after=lsn(connection),
        other_transactions_visible=bool(_one(connection, _VISIBLE)),
    )


def check_driver(readers: Readers) -> None:
    """Refuse a driver that renders infinite times in another way than types.py undoes."""
    row = readers.table(_PROBE)
    as_numbers = [row.column(name).cast("int64")[0].as_py() for name in "abcd"]
    as_numbers += [row.column(name).cast("int32")[0].as_py() for name in "ef"]
    # types.py counts days from 2000, as PostgreSQL does; Arrow from 1970.
    days = [value + 10_957 for value in INFINITE_DAYS]
    if as_numbers != [*INFINITE_MICROSECONDS, *INFINITE_MICROSECONDS, *days]:
        raise SourceError(
            "this adbc-driver-postgresql renders infinite times in another way than the version"
            " in requirements.txt; install that one"
        )


def _one(connection: "psycopg.Connection[Any]", sql: str, values: list[Any] | None = None) -> Any:
    row = connection.execute(sql.encode(), values).fetchone()
    return row[0] if row else None
