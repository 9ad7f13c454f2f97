"""Keep on disk how far each segment of a scan got, so that a killed scan goes on from there.

A working folder holds `scan.json` (what is being scanned, since when), per segment one checkpoint
and files of items as lines. A checkpoint is written after the files it names are durable; what is
not in a checkpoint was never read.
"""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from extractors.dynamodb.pages import Key, Page
from extractors.errors import SourceError
from extractors.package import fsync_directory, utc_text, write_atomically

_PLAN = "scan.json"
# What a release that writes checkpoints in another form counts up: it starts unfinished scans over.
_FORMAT = 1


@dataclass(slots=True)
class Segment:
    """How far one segment is: the files read, and the key after which it goes on."""

    number: int
    files: list[str] = field(default_factory=list[str])
    items: int = 0
    scanned: int = 0
    attributes: int = 0
    units: float = 0.0
    bytes: int = 0
    shape: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    last_key: Key | None = None
    done: bool = False

    def take(self, page: Page) -> None:
        """Count a page that was written to the current file."""
        self.items += page.items
        self.scanned += page.scanned
        self.attributes += page.attributes
        self.units += page.units
        self.bytes += len(page.lines)
        self.shape |= page.shape
        self.last_key = page.last_key
        self.done = page.last_key is None

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"shape": sorted(self.shape)})

    @classmethod
    def from_json(cls, text: str) -> "Segment":
        document = json.loads(text)
        document["shape"] = {(name, tag) for name, tag in document["shape"]}
        return cls(**document)


@dataclass(frozen=True, slots=True)
class Plan:
    """One scan: what it reads (a change of it starts over) and when it first started."""

    scan_id: str
    subject: dict[str, Any]
    started_at: datetime
    resumed: int = 0


class Workspace:
    """The working folder of one table's scan. Only one process uses it at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def locked(self, what: str) -> Iterator[None]:
        """Hold the folder; SourceError when another process scans the same table."""
        # Pages hold personal data until they are decoded: nobody else may read them.
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.directory / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SourceError(
                    f"{what}: another process is scanning it (working folder {self.directory});"
                    " wait for it to end"
                ) from None
            yield

    def plan(self, subject: dict[str, Any], now: datetime, resume_within: timedelta) -> Plan:
        """Return the unfinished scan of the same subject, or a new one in an emptied folder."""
        subject = {**subject, "format": _FORMAT}
        found = self._unfinished(subject, now - resume_within)
        if found is None:
            self.clear()
            found = Plan(str(uuid.uuid4()), subject, now)
        document = {
            "scan_id": found.scan_id,
            "subject": found.subject,
            "started_at": utc_text(found.started_at),
            "resumed": found.resumed,
        }
        write_atomically(self.directory / _PLAN, json.dumps(document))
        return found

    def _unfinished(self, subject: dict[str, Any], oldest: datetime) -> Plan | None:
        try:
            document = json.loads((self.directory / _PLAN).read_text())
            started_at = datetime.fromisoformat(document["started_at"])
            plan = Plan(document["scan_id"], subject, started_at, document["resumed"] + 1)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return plan if document["subject"] == subject and started_at >= oldest else None

    def segments(self, count: int) -> list[Segment]:
        """Return the segments as their checkpoints say; files no checkpoint knows are removed."""
        found = [self._segment(number) for number in range(count)]
        known = {name for segment in found for name in segment.files}
        for path in self.directory.glob("*.jsonl"):
            if path.name not in known:
                path.unlink()
        return found

    def _segment(self, number: int) -> Segment:
        try:
            return Segment.from_json(self._checkpoint(number).read_text())
        except FileNotFoundError:
            return Segment(number)

    def _checkpoint(self, number: int) -> Path:
        return self.directory / f"segment-{number:06d}.json"

    def next_file(self, segment: Segment) -> Path:
        """Return the path of the next file of lines."""
        return self.directory / f"items-{segment.number:06d}-{len(segment.files):06d}.jsonl"

    def save(self, segment: Segment, file: IO[bytes] | None) -> None:
        """Make the open file durable, then the checkpoint that counts it."""
        if file is not None:
            file.flush()
            os.fsync(file.fileno())
            file.close()
            segment.files.append(Path(file.name).name)
            fsync_directory(self.directory)
        write_atomically(self._checkpoint(segment.number), segment.to_json())

    def files(self, segments: list[Segment]) -> list[Path]:
        """Return all files of lines, in order of segment."""
        return [self.directory / name for segment in segments for name in segment.files]

    def scratch(self, name: str) -> Path:
        """Return an empty folder for intermediate files."""
        path = self.directory / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
        return path

    def clear(self) -> None:
        """Remove everything but the lock."""
        for path in self.directory.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()
