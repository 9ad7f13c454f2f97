"""Which recommender is published, as state keeps it: decided once for each window of evaluation."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from extractors.package import utc_text
from warehouse.engines.duckdb_raw import columns_of
from warehouse.state import segments

KIND = "recommender_choice"
TABLE = ("solved", "recommender_evaluation")
# Of one row of figures; a value that could not be measured is None.
COLUMNS = ("recommender", "metric", "k", "value", "lower", "upper")


@dataclass(frozen=True, slots=True)
class Choice:
    """The recommender whose lists are published from a window of evaluation on.

    The window is that of the days from `window_start` up to, and without, `window_end` in the
    reporting time zone. `status` is `baseline` (the first version's), `published` (the blend beat
    popularity in the window), `kept` (it did not: the former stays) or `withdrawn` (it lost beyond
    chance twice: popularity again), `reason` says why.
    """

    window_start: date
    window_end: date
    chosen: str
    status: str
    reason: str
    asked: int
    figures: tuple[tuple[Any, ...], ...]


def choices(state: Path, known_at: datetime | None = None) -> dict[date, Choice]:
    """Return the choice of each window, by its end, of those published by `known_at`."""
    by = utc_text(known_at) if known_at else None
    return {
        (choice := _of(record)).window_end: choice
        for record in segments.records(state, KIND)
        if by is None or record["published_at"] <= by
    }


def newest(state: Path, until: date) -> Choice | None:
    """Return the choice of the last window that ended by this day, None before the first."""
    last = None
    for record in segments.newest_first(state, KIND):
        if str(until - timedelta(days=7)) < record["window_end"] <= str(until):
            return _of(record)  # as nearly always: the others are not read
        if record["window_end"] < str(until):
            last = max(last or record, record, key=lambda one: one["window_end"])
    return _of(last) if last else None


def built(connection: duckdb.DuckDBPyConnection) -> Choice | None:
    """Return the choice that the build database holds, None in a project without one."""
    if not columns_of(connection, *TABLE):
        return None
    rows = connection.execute(
        f"SELECT window_start, window_end, chosen, status, reason, asked, {', '.join(COLUMNS)}"
        f" FROM {'.'.join(TABLE)} ORDER BY recommender, metric, k"
    ).fetchall()
    if not rows:
        return None
    start, end, chosen, status, reason, asked = rows[0][:6]
    figures = tuple(tuple(row[6:]) for row in rows)
    return Choice(start, end, chosen, status, reason, asked, figures)


def with_built(kept: Mapping[date, Choice], made: Choice | None) -> dict[date, Choice]:
    """Return the choices after a build: that of a window is made once."""
    after = dict(kept)
    if made:
        after.setdefault(made.window_end, made)
    return after


def digest(kept: Mapping[date, Choice]) -> str:
    """Return a text that differs whenever a choice does; empty for none."""
    content = [
        (str(end), choice.chosen, choice.status, choice.reason, choice.figures)
        for end, choice in sorted(kept.items())
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest() if content else ""


def records(
    kept: Mapping[date, Choice], after: Mapping[date, Choice], as_of: datetime
) -> list[dict[str, Any]]:
    """Return the records that state lacks to keep the choices `after` a build."""
    return [
        {
            "kind": KIND,
            "id": f"{KIND}:{end}",
            "window_start": str(choice.window_start),
            "window_end": str(end),
            "chosen": choice.chosen,
            "status": choice.status,
            "reason": choice.reason,
            "asked": choice.asked,
            "as_of": utc_text(as_of),
            "figures": [list(row) for row in choice.figures],
        }
        for end, choice in sorted(after.items())
        if end not in kept
    ]


def _of(record: Mapping[str, Any]) -> Choice:
    figures: Sequence[Sequence[Any]] = record["figures"]
    return Choice(
        date.fromisoformat(record["window_start"]),
        date.fromisoformat(record["window_end"]),
        record["chosen"],
        record["status"],
        record["reason"],
        record["asked"],
        tuple(tuple(row) for row in figures),
    )
