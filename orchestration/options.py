"""How one run differs from the others."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Options:
    """How one run differs from the others."""

    as_of: datetime | None = None
    full_refresh: frozenset[str] = frozenset()
    wait: float = 600.0
    interactive: bool = False
    # Whether it is what `status` tells as the last run; a single step by hand is not.
    is_run: bool = False
    # Final months of attribution to fit anew, and why.
    restated: frozenset[date] = frozenset()
    reason: str | None = None
