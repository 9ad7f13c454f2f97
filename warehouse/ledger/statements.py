"""Read the closed statements of affiliates."""

from datetime import datetime
from pathlib import Path
from typing import Any

from extractors.package import utc_text
from warehouse.state import segments

KIND = "statements"


def closed(state: Path, known_at: datetime | None = None) -> list[dict[str, Any]]:
    """Return the statements that were closed by `known_at` (system time), oldest month first."""
    by = utc_text(known_at) if known_at else None
    return [
        row
        for record in segments.records(state, KIND)
        if by is None or record["recorded_at"] <= by
        for row in record["rows"]
    ]
