"""Remember when the warehouse was pruned last, so that runs do it once a day."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from extractors.package import utc_text, write_atomically
from warehouse.config import Settings
from warehouse.retention.prune import Pruned

FILE = "prune.json"
EVERY = timedelta(days=1)


def last(settings: Settings) -> dict[str, Any] | None:
    """Return {at, freed_bytes, error} of the last pruning, None before the first."""
    try:
        text = (settings.home / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return json.loads(text)


def is_due(settings: Settings, now: datetime) -> bool:
    """Return whether a run has to prune."""
    before = last(settings)
    if not settings.retention.automatic or before is None:
        return settings.retention.automatic
    return abs(now - datetime.fromisoformat(before["at"])) >= EVERY


def record(
    settings: Settings, now: datetime, pruned: Sequence[Pruned], error: str | None = None
) -> None:
    """Write down that the warehouse was pruned, or why it could not be."""
    document = {"at": utc_text(now), "freed_bytes": sum(p.freed for p in pruned), "error": error}
    write_atomically(settings.home / FILE, json.dumps(document) + "\n")
