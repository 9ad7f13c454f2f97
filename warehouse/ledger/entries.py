"""Read the posted entries: Parquet files in `state/ledger`, each named by a record of state."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from extractors.errors import AuditError
from extractors.package import utc_text
from warehouse.state import chain, segments

KIND = "ledger"
FOLDER = "ledger"
GENESIS = chain.GENESIS


@dataclass(frozen=True, slots=True)
class Posting:
    """One file of entries that were posted together, and the hash of the file before it.

    `as_of` is the tick of the run that posted them; None where a command did. `published_at` is
    system time.
    """

    number: int
    path: Path
    sha256: str
    previous: str
    rows: int
    as_of: datetime | None
    published_at: datetime


def postings(state: Path, known_at: datetime | None = None) -> list[Posting]:
    """Return what was posted, of that what was posted by `known_at` (system time), oldest first.

    AuditError where the records do not continue each other.
    """
    by = utc_text(known_at) if known_at else None
    found = [
        _posting(state, record)
        for record in segments.records(state, KIND)
        if by is None or record["published_at"] <= by
    ]
    previous = GENESIS
    for number, one in enumerate(found, 1):
        if (one.number, one.previous) != (number, previous):
            raise AuditError(
                f"{one.path}: does not continue the entries posted before it; {chain.RESTORE}"
            )
        previous = one.sha256
    return found


def _posting(state: Path, record: dict[str, Any]) -> Posting:
    return Posting(
        record["number"],
        state / FOLDER / record["file"],
        record["sha256"],
        record["previous"],
        record["rows"],
        datetime.fromisoformat(record["as_of"]) if record["as_of"] else None,
        datetime.fromisoformat(record["published_at"]),
    )


def posted_by(posted: Sequence[Posting], as_of: datetime) -> Sequence[Posting]:
    """Return what was posted before the first run that was for a later tick."""
    for place, one in enumerate(posted):
        if one.as_of and one.as_of > as_of:
            return posted[:place]
    return posted


def digest(posted: Sequence[Posting]) -> str:
    """Return a text that differs whenever what is posted does; empty where nothing is."""
    return posted[-1].sha256 if posted else ""


def verify(state: Path) -> int:
    """Check every file of entries against its record; return how many there are.

    AuditError names the first that is missing or was changed.
    """
    found = postings(state)
    for one in found:
        try:
            with one.path.open("rb") as file:
                is_whole = hashlib.file_digest(file, "sha256").hexdigest() == one.sha256
        except FileNotFoundError:
            raise AuditError(f"{one.path}: is missing; {chain.RESTORE}") from None
        if not is_whole:
            raise AuditError(f"{one.path}: was changed after it was written; {chain.RESTORE}")
    return len(found)


def sweep(state: Path) -> None:
    """Remove files that no record names: their run was killed before it published.

    The caller holds the writer lease.
    """
    named = {one.path for one in postings(state)}
    for path in (state / FOLDER).glob("*"):
        if path not in named:
            path.unlink()
