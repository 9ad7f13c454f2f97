"""The attribution weights of final months, as state keeps them: no later data change them."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from extractors.package import utc_text
from warehouse.engines.duckdb_raw import columns_of
from warehouse.state import segments
from warehouse.who import who

KIND = "attribution_weights"
COLUMNS = ("model", "channel", "effect", "share", "share_low", "share_high")
# The texts of a weight in the order of COLUMNS.
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FinalMonth:
    """The weights that a month keeps, and the terms that it was fitted under.

    `generation` counts from 1; each restatement adds one, and the newest counts.
    """

    period: date
    generation: int
    settings_id: str
    terms: Mapping[str, str]
    rows: tuple[Row, ...]


def final_months(state: Path, known_at: datetime | None = None) -> dict[date, FinalMonth]:
    """Return the newest generation of each final month, of those published by `known_at`."""
    found: dict[date, FinalMonth] = {}
    by = utc_text(known_at) if known_at else None
    for record in segments.records(state, KIND):
        if by is None or record["published_at"] <= by:
            period = date.fromisoformat(record["period"])
            found[period] = FinalMonth(
                period,
                record["generation"],
                record["settings_id"],
                record["terms"],
                tuple(tuple(row) for row in record["weights"]),
            )
    return found


def built_months(
    connection: duckdb.DuckDBPyConnection, terms: Callable[[date], Mapping[str, str]]
) -> dict[date, FinalMonth]:
    """Return the final months as the build database has them, each as a first generation.

    `terms` says what a month was fitted under.
    """
    if not columns_of(connection, "solved", "channel_weights"):
        return {}
    texts = ", ".join(f"CAST({column} AS VARCHAR)" for column in COLUMNS)
    months: dict[date, tuple[str, list[Row]]] = {}
    for period, settings_id, *row in connection.execute(
        f"SELECT period, settings_id, {texts} FROM solved.channel_weights"
        " WHERE is_final ORDER BY period, model, channel"
    ).fetchall():
        months.setdefault(period, (settings_id, []))[1].append(tuple(row))
    return {
        period: FinalMonth(period, 1, settings_id, terms(period), tuple(rows))
        for period, (settings_id, rows) in months.items()
    }


def with_built(
    kept: Mapping[date, FinalMonth],
    built: Mapping[date, FinalMonth],
    restated: Collection[date],
) -> dict[date, FinalMonth]:
    """Return the final months after this build: those kept, new ones, and restated ones anew."""
    after = dict(kept)
    for period, month in built.items():
        if period not in kept:
            after[period] = month
        elif period in restated:
            generation = kept[period].generation + 1
            after[period] = FinalMonth(
                period, generation, month.settings_id, month.terms, month.rows
            )
    return after


def digest(months: Mapping[date, FinalMonth]) -> str:
    """Return a text that differs whenever the weights or generations of final months do."""
    content = [
        (str(period), month.generation, month.rows) for period, month in sorted(months.items())
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def records(
    kept: Mapping[date, FinalMonth],
    after: Mapping[date, FinalMonth],
    *,
    as_of: datetime,
    reason: str | None,
) -> list[dict[str, Any]]:
    """Return the records that state lacks to keep the months `after` a build."""
    return [
        {
            "kind": KIND,
            "id": f"{KIND}:{period}:{month.generation}",
            "period": str(period),
            "generation": month.generation,
            "settings_id": month.settings_id,
            "terms": dict(month.terms),
            "as_of": utc_text(as_of),
            "by": who(),
            "reason": reason if month.generation > 1 else None,
            "weights": [list(row) for row in month.rows],
        }
        for period, month in sorted(after.items())
        if period not in kept or month.generation > kept[period].generation
    ]
