"""Read what people decided about clicks, lines and balances of affiliates."""

from datetime import datetime
from pathlib import Path
from typing import Any

from extractors.package import utc_text
from warehouse.state import segments

KIND = "decision"


def decided(state: Path, known_at: datetime | None = None) -> list[dict[str, Any]]:
    """Return the decisions that were recorded by `known_at` (system time), oldest first."""
    by = utc_text(known_at) if known_at else None
    return [
        {**record, "decision_id": record["id"], "kind": record["decided"]}
        for record in segments.records(state, KIND)
        if by is None or record["recorded_at"] <= by
    ]
