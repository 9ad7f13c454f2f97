"""Records that belong in `state/`, kept in the build database until their segment is written."""

import json
from pathlib import Path
from typing import Any

import duckdb

from warehouse.engines import duckdb_engine
from warehouse.state import segments


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
    known = segments.ids_since(state, _flushed(connection)) if queued else set[str]()
    segments.append(state, [*segments.without(queued, known), *(extra or [])])
    if queued:
        with duckdb_engine.transaction(connection):
            connection.execute("DELETE FROM meta.outbox")
            connection.execute("DELETE FROM meta.flushed")
            connection.execute(
                "INSERT INTO meta.flushed VALUES (?)", [segments.newest_number(state)]
            )


def _flushed(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the segment up to which state holds nothing that is still queued.

    0 in a new build database: replaying packages queues what an earlier one had written.
    """
    row = connection.execute("SELECT max(segment) FROM meta.flushed").fetchone()
    return int(row[0]) if row and row[0] else 0
