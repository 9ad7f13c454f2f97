"""The runs of this warehouse: which tick each is for, and whether it ended."""

from datetime import UTC, datetime

import duckdb


def begin(connection: duckdb.DuckDBPyConnection, run_id: str) -> datetime | None:
    """Record a new run; return the as_of of the run before it if that one was killed.

    The killed run's tick is finished first, so that a kill changes no result.
    """
    unfinished = connection.execute(
        "SELECT as_of FROM meta.runs WHERE status = 'running' ORDER BY started_at DESC LIMIT 1"
    ).fetchone()
    connection.execute("UPDATE meta.runs SET status = 'killed' WHERE status = 'running'")
    connection.execute(
        "INSERT INTO meta.runs VALUES (?, NULL, ?, NULL, 'running')", [run_id, datetime.now(UTC)]
    )
    return unfinished[0].astimezone(UTC) if unfinished and unfinished[0] else None


def set_as_of(connection: duckdb.DuckDBPyConnection, run_id: str, as_of: datetime) -> None:
    """Record the tick that a run is for."""
    connection.execute("UPDATE meta.runs SET as_of = ? WHERE run_id = ?", [as_of, run_id])


def finish(connection: duckdb.DuckDBPyConnection, run_id: str, status: str) -> None:
    """Record how a run ended: `succeeded` or `failed`."""
    connection.execute(
        "UPDATE meta.runs SET status = ?, finished_at = ? WHERE run_id = ?",
        [status, datetime.now(UTC), run_id],
    )
