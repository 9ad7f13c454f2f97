"""What campaigns earned in final months, as state keeps it: each change with its reason."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from extractors.package import utc_text
from warehouse.engines.duckdb_raw import columns_of
from warehouse.state import segments

KIND = "campaign_figures"
MEASURES = ("orders", "revenue", "net_revenue")
COLUMNS = (
    *("period", "model", "channel", "campaign_id", "revision", "restated_at", "reason"),
    *(f"{age}_{measure}" for age in ("old", "new") for measure in MEASURES),
)


def figures(state: Path, known_at: datetime | None = None) -> list[dict[str, Any]]:
    """Return all figures of final months that were published by `known_at`, oldest first.

    Revision 0 is what a month became final with, without old figures.
    """
    by = utc_text(known_at) if known_at else None
    return [
        dict(zip(COLUMNS, row, strict=True))
        for record in segments.records(state, KIND)
        if by is None or record["published_at"] <= by
        for row in record["figures"]
    ]


def changed_by(state: Path, run_id: str) -> dict[str, int]:
    """Return for each month (its first day) how many figures a run changed after it was final."""
    newest = next(segments.newest_first(state, KIND), None)
    if newest is None or newest["id"] != f"{KIND}:{run_id}":
        return {}
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in newest["figures"]]
    return Counter(row["period"] for row in rows if row["revision"])


def records(
    connection: duckdb.DuckDBPyConnection, run_id: str, as_of: datetime
) -> list[dict[str, Any]]:
    """Return what state lacks of the figures of the build, none where nothing moved."""
    if not columns_of(connection, "solved", "campaign_figures"):
        return []
    rows = [*_first(connection, as_of), *_changed(connection)]
    if not rows:
        return []
    return [{"kind": KIND, "id": f"{KIND}:{run_id}", "figures": rows}]


def _first(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Sequence[list[Any]]:
    """Return the figures of months and models that no version had as final."""
    new = ", ".join(f"CAST({measure} AS VARCHAR)" for measure in MEASURES)
    found = connection.execute(
        f"SELECT CAST(period AS VARCHAR), model, channel, campaign_id, {new}"
        " FROM campaign.final_figures AS built WHERE NOT EXISTS (FROM solved.campaign_figures AS"
        " kept WHERE kept.period = built.period AND kept.model = built.model) ORDER BY ALL"
    ).fetchall()
    at = utc_text(as_of)
    return [[*row[:4], 0, at, None, None, None, None, *row[4:]] for row in found]


def _changed(connection: duckdb.DuckDBPyConnection) -> Sequence[list[Any]]:
    """Return the restatements of this build, which no version had."""
    texts = ", ".join(
        name if name == "revision" else f"CAST(built.{name} AS VARCHAR)"
        for name in COLUMNS
        if name != "restated_at"
    )
    keys = ("period", "model", "channel", "campaign_id", "revision")
    same = " AND ".join(f"kept.{key} = built.{key}" for key in keys)
    found = connection.execute(
        f"SELECT built.restated_at, {texts} FROM campaign.restatements AS built WHERE NOT EXISTS"
        f" (FROM solved.campaign_figures AS kept WHERE {same}) ORDER BY ALL"
    ).fetchall()
    return [[*row[:5], utc_text(at), *row[5:]] for at, *row in found]
