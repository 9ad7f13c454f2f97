"""Records that belong in `state/`, kept in the build database until their segment is written."""

import json
from pathlib import Path
from typing import Any

import duckdb

from warehouse.engines import duckdb_engine
from warehouse.state import segments

# Their ids are new at each record: replaying packages into a new build database queues none that
# state holds. Of the other kinds, which are rare, all ids are looked up.
NEVER_REPEATED = {"certificate"}


def add(connection: duckdb.DuckDBPyConnection, kind: str, record_id: str, **body: Any) -> None:
    """Queue a record in the transaction of what it describes."""
    record = {"kind": kind, "id": record_id, **body}
    connection.execute(
        "INSERT INTO meta.outbox VALUES (?, ?)", [record_id, json.dumps(record, sort_keys=True)]
    )


def pending(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the queued records in a fixed order."""
    rows = connection.execute("SELECT record FROM meta.outbox ORDER BY record_id").fetchall()
    return [json.loads(row[0]) for row in rows]


def flush(
    connection: duckdb.DuckDBPyConnection, state: Path, extra: list[dict[str, Any]] | None = None
) -> None:
    """Write the queued records, and `extra` ones, as one segment; then empty the queue.

    The caller is `exclusive` in state. Killed between the two, the next call finds the records'
    ids in state and only empties the queue.
    """
    queued = pending(connection)
    kinds = {record["kind"] for record in queued}
    known = segments.ids(state, kinds - NEVER_REPEATED) | segments.ids(
        state, kinds & NEVER_REPEATED, _flushed(connection)
    )
    segments.append(state, [*segments.without(queued, known), *(extra or [])])
    if queued:
        with duckdb_engine.transaction(connection):
            connection.execute("DELETE FROM meta.outbox")
            connection.execute("DELETE FROM meta.flushed")
            connection.execute(
                "INSERT INTO meta.flushed VALUES (?)", [segments.newest_number(state)]
            )


def _flushed(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the segment up to which state holds nothing that is still queued, but by a replay."""
    row = connection.execute("SELECT max(segment) FROM meta.flushed").fetchone()
    return int(row[0]) if row and row[0] else 0
