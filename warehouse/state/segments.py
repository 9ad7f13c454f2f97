"""Append and read the segments of `state/`: JSON files chained by sha256."""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extractors.errors import AuditError
from extractors.package import utc_text, write_atomically
from warehouse.state import chain

LOCK_FILE = ".lock"


def verify(directory: Path) -> int:
    """Check the whole chain and its head; return the number of the newest segment.

    Every run does it once. The other functions check what they read only, by the hashes that lead
    to it from the head.
    """
    head = chain.read_head(directory)
    number = 0
    for segment in chain.forwards(directory):
        number = segment.head.number
        if head and number == head.number and segment.head != head:
            raise AuditError(f"{segment.path}: was changed after it was written; {chain.RESTORE}")
    if head and number < head.number:
        raise AuditError(
            f"{directory}: segment {number + 1} is missing ({chain.HEAD_FILE} names"
            f" {head.number} as the newest); {chain.RESTORE}"
        )
    chain.newest(directory)  # what follows the head
    return number


def records(directory: Path, *kinds: str) -> list[dict[str, Any]]:
    """Return the records of the given kinds (all when none is given), oldest first."""
    return list(newest_first(directory, *kinds))[::-1]


def newest_first(directory: Path, *kinds: str) -> Iterator[dict[str, Any]]:
    """Yield the records of the given kinds (all when none is given), newest first.

    Only the segments that hold such records are read, and only as far as the caller goes.
    """
    for segment in _backwards(directory, kinds):
        yield from reversed(segment.records(kinds))


def _backwards(
    directory: Path, kinds: Collection[str] = (), since: int = 0
) -> Iterator[chain.Segment]:
    """Yield the segments after `since` that may hold records of the kinds, newest first."""
    segment = chain.newest(directory)
    while segment and segment.head.number > since:
        yield segment
        before = chain.Head(segment.head.number - 1, segment.previous)
        if kinds and segment.links is not None:
            links = [segment.links[kind] for kind in kinds if kind in segment.links]
            before = max(links, key=lambda link: link.number, default=chain.Head(0, chain.GENESIS))
        segment = chain.read(directory, before.number, before) if before.number else None


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

    The rename of the segment file is the commit; the head follows it. The caller is `exclusive`.
    """
    if not new:
        return None
    directory.mkdir(parents=True, exist_ok=True)
    for torn in directory.glob(".[sh]e*.tmp"):  # segment or head, of a killed run
        torn.unlink()
    last = chain.newest(directory)
    if last and chain.read_head(directory) != last.head:
        chain.write_head(directory, last.head)  # else a second kill leaves it two behind
    previous = last.head if last else chain.Head(0, chain.GENESIS)
    document = {
        "format": chain.FORMAT,
        "number": previous.number + 1,
        "previous": previous.sha256,
        "written_at": utc_text(datetime.now(UTC)),
        "links": {kind: [h.number, h.sha256] for kind, h in _links(directory).items()},
        "records": list(new),
    }
    text = json.dumps(document, separators=(",", ":")) + "\n"
    head = chain.Head(previous.number + 1, hashlib.sha256(text.encode()).hexdigest())
    write_atomically(chain.segment_path(directory, head.number), text)
    chain.write_head(directory, head)
    return head.number


def _links(directory: Path) -> dict[str, chain.Head]:
    """Return the newest segment of each kind of record."""
    links: dict[str, chain.Head] = {}
    for segment in _backwards(directory):
        for record in segment.records():
            links.setdefault(record["kind"], segment.head)
        if segment.links is not None:
            return segment.links | links
    return links


def newest_number(directory: Path) -> int:
    """Return the number of the newest segment, 0 where there is none."""
    last = chain.newest(directory)
    return last.head.number if last else 0


def ids(directory: Path, kinds: Collection[str], since: int = 0) -> set[str]:
    """Return the ids of the records of the given kinds in the segments after `since`."""
    return {
        record["id"]
        for segment in (_backwards(directory, kinds, since) if kinds else ())
        for record in segment.records(kinds)
    }


def without(new: Iterable[dict[str, Any]], known: set[str]) -> list[dict[str, Any]]:
    """Return the records whose id is not known yet."""
    return [record for record in new if record["id"] not in known]
