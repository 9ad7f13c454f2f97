"""Write what a run left behind to `state/status.json`, and read it without the build database."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from extractors.package import utc_text, write_atomically
from warehouse import lease
from warehouse.config import Settings
from warehouse.engines import duckdb_raw
from warehouse.load import rejected, runs
from warehouse.publish import recommender_choices, targets, versions
from warehouse.retention import daily, disk

FILE = "status.json"


def write_status(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Write the state of every raw table, and the rejected rows, after a run."""
    rows = connection.execute(
        "SELECT p.source, p.cell, p.table_name, p.entity, p.position, p.complete_up_to, p.load_id,"
        " coalesce(q.n, 0), c.kind, c.status, c.checked_at, c.ranges"
        " FROM meta.positions AS p"
        " LEFT JOIN (SELECT source, cell, entity, sum(rows)::BIGINT AS n FROM meta.quarantine"
        " WHERE decision = 'open' GROUP BY ALL)"
        " AS q USING (source, cell, entity)"
        " LEFT JOIN (SELECT * FROM meta.certificates QUALIFY row_number() OVER"
        " (PARTITION BY source, cell, table_name"
        " ORDER BY checked_at DESC, certificate_id DESC) = 1)"
        " AS c ON (c.source, c.cell, c.table_name) = (p.source, p.cell, p.table_name)"
        " ORDER BY p.source, p.cell, p.table_name, p.entity"
    ).fetchall()
    tables: list[dict[str, Any]] = []
    for source, cell, table, entity, position, complete, load_id, unfit, *certificate in rows:
        kind, outcome, checked_at, ranges = certificate
        tables.append(
            {
                "source": source,
                "cell": cell,
                "table": table,
                "entity": entity,
                "rows": duckdb_raw.live_rows(connection, source, entity, cell),
                "position": json.loads(position),
                "complete_up_to": utc_text(complete),
                "load_id": load_id,
                "quarantined": unfit,
                "certificate": {
                    "kind": kind,
                    "status": outcome,
                    "checked_at": utc_text(checked_at),
                    "ranges": json.loads(ranges or "[]"),
                }
                if kind
                else None,
            }
        )
    settings.state_directory.mkdir(parents=True, exist_ok=True)
    for torn in settings.state_directory.glob(f".{FILE}.*.tmp"):  # of a killed run
        torn.unlink()
    write_atomically(
        settings.state_directory / FILE, json.dumps({"tables": tables}, indent=1) + "\n"
    )
    rejected.write(connection, settings.state_directory)


def status(settings: Settings) -> dict[str, Any]:
    """Return {version, as_of, hold, targets, last_run, recommender, tables, marts, disk}.

    From files alone. Only the targets are asked themselves: a PostgreSQL which version it shows.

    A last run that is `running` although nobody holds the writer lease was `killed`.
    """
    current = versions.current_version(settings.published_directory)
    record = versions.publication(settings, current)
    tables = _tables(settings.state_directory / FILE)
    now = settings.now()
    for table in tables:
        lag = now - datetime.fromisoformat(table["complete_up_to"])
        table["lag_seconds"] = max(0.0, lag.total_seconds())
    return {
        "version": current,
        "as_of": record["as_of"] if record else None,
        "hold": versions.held_version(settings),
        "targets": targets_of(settings),
        "last_run": _last_run(settings),
        "recommender": _recommender(settings, datetime.fromisoformat(record["as_of"]))
        if record
        else None,
        "tables": tables,
        "marts": record["marts"] if record else [],
        "disk": {**disk.usage(settings), "pruned": daily.last(settings)},
    }


def targets_of(settings: Settings) -> list[dict[str, Any]]:
    """Return {name, version, lags, problem} of each place where readers find versions."""
    return targets.states(
        versions.targets(settings), versions.desired_version(settings), versions.problems(settings)
    )


def _last_run(settings: Settings) -> dict[str, Any] | None:
    last = runs.last(settings.state_directory)
    if last is None:
        return None
    is_killed = last.status == "running" and not lease.is_held(settings.home)
    return asdict(replace(last, status="killed") if is_killed else last)


def _recommender(settings: Settings, as_of: datetime) -> dict[str, str] | None:
    """Return which recommender the lists of a version are of, since which window, and why."""
    day = as_of.astimezone(ZoneInfo(settings.warehouse.reporting_time_zone)).date()
    choice = recommender_choices.newest(settings.state_directory, day)
    if choice is None:
        return None
    return {
        "recommender": choice.chosen,
        "status": choice.status,
        "window_start": str(choice.window_start),
        "window_end": str(choice.window_end),
        "reason": choice.reason,
    }


def _tables(path: Path) -> list[dict[str, Any]]:
    try:
        document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return list(document["tables"])
