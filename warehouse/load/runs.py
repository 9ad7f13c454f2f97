"""The runs of this warehouse: which tick each is for, and whether it ended.

The last one is also told by `state/run.json`, which is read without the build database. A single
step by hand (`state` None) is a run here too, but not one to be told of.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from extractors.package import utc_text, write_atomically
from warehouse.engines import duckdb_engine

FILE = "run.json"


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run: `running` (or killed since), `succeeded` or `failed` with its error.

    Times are ISO-8601 UTC text.
    """

    run_id: str
    status: str
    started_at: str
    finished_at: str | None = None
    error: str | None = None


def last(state: Path) -> LastRun | None:
    """Return the last run, None before the first."""
    try:
        return LastRun(**json.loads((state / FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def _tell(state: Path | None, run: LastRun) -> None:
    if state is None:
        return
    state.mkdir(parents=True, exist_ok=True)
    write_atomically(state / FILE, json.dumps(asdict(run)) + "\n")


def begin(
    connection: duckdb.DuckDBPyConnection, state: Path | None, run_id: str
) -> datetime | None:
    """Record a new run; return the as_of of a killed run if no run since then came to one.

    The killed run's tick is finished first, so that a kill changes no result.
    """
    started_at = datetime.now(UTC)
    with duckdb_engine.transaction(connection):
        unfinished = connection.execute(
            "SELECT as_of FROM meta.runs WHERE status IN ('running', 'killed')"
            " AND as_of IS NOT NULL AND started_at > coalesce((SELECT max(started_at)"
            " FROM meta.runs WHERE status NOT IN ('running', 'killed') AND as_of IS NOT NULL),"
            " TIMESTAMPTZ '-infinity') ORDER BY started_at DESC LIMIT 1"
        ).fetchone()
        as_of = unfinished[0].astimezone(UTC) if unfinished else None
        connection.execute("UPDATE meta.runs SET status = 'killed' WHERE status = 'running'")
        # With the tick: this run may be killed in turn before it decides on one.
        connection.execute(
            "INSERT INTO meta.runs VALUES (?, ?, ?, NULL, 'running')", [run_id, as_of, started_at]
        )
    _tell(state, LastRun(run_id, "running", utc_text(started_at)))
    return as_of


def set_as_of(connection: duckdb.DuckDBPyConnection, run_id: str, as_of: datetime) -> None:
    """Record the tick that a run is for."""
    connection.execute("UPDATE meta.runs SET as_of = ? WHERE run_id = ?", [as_of, run_id])


def finish(
    connection: duckdb.DuckDBPyConnection,
    state: Path | None,
    run_id: str,
    error: str | None,
    as_of: datetime | None = None,
) -> None:
    """Record how a run ended: `succeeded`, or `failed` with its error.

    `as_of` is the tick that it was for, None for one that came to none, such as a load by hand.
    """
    status, finished_at = "failed" if error else "succeeded", datetime.now(UTC)
    row = connection.execute(
        "UPDATE meta.runs SET status = ?, finished_at = ?, as_of = ? WHERE run_id = ?"
        " RETURNING started_at",
        [status, finished_at, as_of, run_id],
    ).fetchone()
    started_at = utc_text(row[0]) if row else utc_text(finished_at)
    _tell(state, LastRun(run_id, status, started_at, utc_text(finished_at), error))
