"""Tell the warehouse's now: the system's clock, or an instant kept in a file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from extractors.errors import ConfigError

SYSTEM: Literal["system"] = "system"


def now(setting: str | Path, base: Path) -> datetime:
    """Return now in UTC: `system`, or the ISO-8601 instant in a file (relative to `base`).

    A file is read at every call: the demo moves its clock by rewriting it.
    """
    if setting == SYSTEM:
        return datetime.now(UTC)
    path = base / setting
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise ConfigError(
            f"clock file {path}: {reason}; warehouse.clock is `system` or a file holding an instant"
        ) from None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigError(
            f"clock file {path}: {text[:40]!r} is not an instant;"
            " write one like 2011-09-01T00:00:00Z"
        )
    return moment.astimezone(UTC)
