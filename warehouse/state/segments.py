"""Append and read the segments of `state/`: JSON files chained by sha256."""

import contextlib
import fcntl
import hashlib
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extractors.errors import AuditError
from extractors.package import utc_text, write_atomically

FORMAT = 1
LOCK_FILE = ".lock"
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Segment:
    """One durable step of state: its records in order, and the hash of the segment before it."""

    number: int
    previous: str
    written_at: str
    records: tuple[dict[str, Any], ...]
    sha256: str


def _path(directory: Path, number: int) -> Path:
    return directory / f"segment-{number:06d}.json"


def segments(directory: Path) -> Iterator[Segment]:
    """Yield the segments in order, checking the chain; AuditError says which one is broken."""
    previous, expected = GENESIS, 1
    for path in sorted(directory.glob("segment-*.json")) if directory.is_dir() else ():
        content = path.read_bytes()
        try:
            document = json.loads(content)
            number, stated = document["number"], document["previous"]
            records = tuple(document["records"])
        except (ValueError, KeyError, TypeError) as error:
            raise AuditError(
                f"{path}: not a readable state segment ({error}); restore it from a backup"
            ) from None
        if path != _path(directory, expected) or number != expected:
            raise AuditError(
                f"{directory}: segment {expected} is missing before {path.name};"
                " restore the folder from a backup"
            )
        if stated != previous:
            raise AuditError(
                f"{path}: does not continue segment {expected - 1} (sha256 {previous[:12]}…);"
                " a segment was changed by hand; restore the folder from a backup"
            )
        digest = hashlib.sha256(content).hexdigest()
        yield Segment(number, stated, document["written_at"], records, digest)
        previous, expected = digest, expected + 1


def records(directory: Path, *kinds: str) -> list[dict[str, Any]]:
    """Return the records of the given kinds (all when none is given), oldest first."""
    return [
        record
        for segment in segments(directory)
        for record in segment.records
        if not kinds or record["kind"] in kinds
    ]


@contextlib.contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Be the only one who adds to state or moves the pointer; held for moments, never for a run.

    Not reentrant: `append` and its callers expect it to be held.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def append(directory: Path, new: Sequence[dict[str, Any]]) -> int | None:
    """Write the records as the next segment and return its number (None for no records).

    The rename of the segment file is the commit. The caller is `exclusive`.
    """
    if not new:
        return None
    directory.mkdir(parents=True, exist_ok=True)
    for torn in directory.glob(".segment-*.tmp"):  # of a killed run
        torn.unlink()
    last = next(iter(deque(segments(directory), maxlen=1)), None)
    number = last.number + 1 if last else 1
    document = {
        "format": FORMAT,
        "number": number,
        "previous": last.sha256 if last else GENESIS,
        "written_at": utc_text(datetime.now(UTC)),
        "records": list(new),
    }
    write_atomically(
        _path(directory, number), json.dumps(document, indent=1, sort_keys=True) + "\n"
    )
    return number


def record_ids(directory: Path) -> set[str]:
    """Return the ids of the records that came from the build database."""
    return {record["id"] for record in records(directory) if "id" in record}


def without(new: Iterable[dict[str, Any]], known: set[str]) -> list[dict[str, Any]]:
    """Return the records whose id is not known yet."""
    return [record for record in new if record["id"] not in known]
