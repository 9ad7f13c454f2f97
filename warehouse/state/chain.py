"""Read the files of a chain: each segment against the hash that names it, and the head."""

import hashlib
import json
import re
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from extractors.errors import AuditError
from extractors.package import write_atomically

FORMAT = 1
GENESIS = "0" * 64
HEAD_FILE = "head"
RESTORE = "restore the folder from a backup (`warehouse restore`)"

_RECORDS = re.compile(rb',\s*"records":\s?\[\s*\{')


@dataclass(frozen=True, slots=True)
class Head:
    """The newest segment: what holds its hash until another one follows it."""

    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One durable step of state: its bytes, and the hash of the segment before it.

    `links` name, for each kind of record, the newest segment before this one that holds it;
    None in a segment that an older release wrote.
    """

    path: Path
    head: Head
    previous: str
    links: dict[str, Head] | None
    content: bytes

    def records(self, kinds: Collection[str] = ()) -> list[dict[str, Any]]:
        """Return the records of the given kinds (all when none is given), oldest first."""
        if kinds and not any(b'"%s"' % kind.encode() in self.content for kind in kinds):
            return []
        try:
            found = json.loads(self.content)["records"]
            return [record for record in found if not kinds or record["kind"] in kinds]
        except (ValueError, KeyError, TypeError) as error:
            raise _unreadable(self.path, error) from None


def segment_path(directory: Path, number: int) -> Path:
    """Return the file of a segment."""
    return directory / f"segment-{number:06d}.json"


def read_head(directory: Path) -> Head | None:
    """Return what the head file says, None in a folder that is new or of an older release."""
    path = directory / HEAD_FILE
    try:
        document = json.loads(path.read_bytes())
        return Head(int(document["number"]), str(document["sha256"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise AuditError(f"{path}: cannot be read ({error}); {RESTORE}") from None


def write_head(directory: Path, head: Head) -> None:
    """Name the newest segment, whose file is durable already."""
    text = json.dumps({"number": head.number, "sha256": head.sha256})
    write_atomically(directory / HEAD_FILE, text + "\n")


def read(directory: Path, number: int, expected: Head | None = None) -> Segment:
    """Return a segment; AuditError where it is missing, unreadable or not the `expected` one."""
    path = segment_path(directory, number)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise AuditError(f"{directory}: segment {number} is missing; {RESTORE}") from None
    head = Head(number, hashlib.sha256(content).hexdigest())
    if expected and head != expected:
        raise AuditError(f"{path}: was changed after it was written; {RESTORE}")
    try:
        start = _RECORDS.search(content)
        header = json.loads(content[: start.start()] + b"}" if start else content)
        found, stated, previous = header["format"], header["number"], str(header["previous"])
        links = cast("dict[str, list[Any]] | None", header.get("links"))
        known = None if links is None else {kind: Head(*link) for kind, link in links.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, error) from None
    if found != FORMAT:
        raise AuditError(
            f"{path}: has format {found!r}, this release reads {FORMAT};"
            f" use the release that wrote it, or {RESTORE}"
        )
    if stated != number:
        raise AuditError(f"{path}: holds segment {stated!r} under this name; {RESTORE}")
    return Segment(path, head, previous, known, content)


def _unreadable(path: Path, error: Exception) -> AuditError:
    return AuditError(f"{path}: not a readable state segment ({error}); {RESTORE}")


def forwards(directory: Path) -> Iterator[Segment]:
    """Yield all segments in order; AuditError where one does not continue the one before it."""
    previous = Head(0, GENESIS)
    for path in sorted(directory.glob("segment-*.json")):
        number = previous.number + 1
        if path != segment_path(directory, number):
            raise AuditError(
                f"{directory}: segment {number} is missing before {path.name}; {RESTORE}"
            )
        segment = read(directory, number)
        if segment.previous != previous.sha256:
            raise _not_continued(segment)
        yield segment
        previous = segment.head


def _not_continued(segment: Segment) -> AuditError:
    return AuditError(
        f"{segment.path}: does not continue segment {segment.head.number - 1};"
        f" one of the two was changed after it was written; {RESTORE}"
    )


def newest(directory: Path) -> Segment | None:
    """Return the newest segment, None in an empty folder; AuditError where the head disagrees.

    The head may be one segment behind: its writer was killed between the two, or is between them.
    A folder of an older release has no head and is checked as a whole.
    """
    while True:
        head = read_head(directory)
        if head is None:
            *before, last = [None, *deque(forwards(directory), maxlen=2)]
            if last:
                last.records()  # nothing holds its hash: it must at least be whole
            if before and before[-1] and before[-1].links is not None:
                if read_head(directory) is not None:
                    continue  # the first segments and it were written since
                raise AuditError(
                    f"{directory / HEAD_FILE}: is missing, so the newest segments may be as well;"
                    f" {RESTORE}"
                )
            return last
        last = read(directory, head.number, head)
        if not segment_path(directory, head.number + 1).exists():
            return last
        following = read(directory, head.number + 1)
        if following.previous != head.sha256:
            raise _not_continued(following)
        following.records()
        if not segment_path(directory, head.number + 2).exists():
            return following
        if read_head(directory) == head:  # and not moved on since
            raise AuditError(
                f"{directory / HEAD_FILE}: names segment {head.number}, more than one follows it;"
                f" {RESTORE}, or delete this file if an older release wrote them"
            )
