"""Find files that nobody needs: refused packages, logs, what killed commands left behind."""

import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from extractors.package import MANIFEST
from warehouse.config import Settings
from warehouse.load.chains import REJECTED

LOG_BYTES = 10_000_000


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; what vanishes meanwhile is none."""
    try:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            return found.st_size
        with os.scandir(path) as entries:
            return sum(_entry_size(entry) for entry in entries)
    except FileNotFoundError:
        return 0


def _entry_size(entry: os.DirEntry[str]) -> int:
    if entry.is_dir(follow_symlinks=False):
        return size(Path(entry.path))
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def rejected(landing: Path) -> Iterator[Path]:
    """Yield the packages that were set aside, of every table, configured or not."""
    for manifest in sorted(landing.glob(f"*/*/*/{REJECTED}*/{MANIFEST}")):
        yield manifest.parent


def written(path: Path) -> datetime:
    """Return when a file was last written."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def old_logs(settings: Settings, now: datetime, keep: timedelta) -> Iterator[Path]:
    """Yield log files that nobody wrote to for longer than `keep`."""
    folder = settings.logs_directory
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_file() and now - written(path) > keep:
            yield path


def full_logs(settings: Settings) -> Iterator[Path]:
    """Yield the logs that every run goes on writing to and that have become large."""
    path = settings.logs_directory / "run.log"
    if path.is_file() and path.stat().st_size > LOG_BYTES:
        yield path


def leftovers(settings: Settings, resume_within: timedelta) -> Iterator[Path]:
    """Yield what killed commands left behind and nobody resumes.

    Unfinished scans hold items as the source sent them; one that began within `resume_within` is
    gone on with. What the next command removes by itself is not among them.
    """
    yield from sorted(settings.state_directory.glob(".*.tmp"))
    yield from sorted(settings.published_directory.glob(".current.*"))
    spill = settings.build_database.with_name(settings.build_database.name + ".tmp")
    if spill.is_dir():
        yield spill
    for folder in sorted(settings.landing.glob(".scan/*/*/*")):
        if settings.now() - _scan_started(folder) > resume_within:
            yield from (path for path in sorted(folder.iterdir()) if path.name != "lock")


def _scan_started(folder: Path) -> datetime:
    try:
        document = json.loads((folder / "scan.json").read_text(encoding="utf-8"))
        return datetime.fromisoformat(document["started_at"])
    except (OSError, ValueError, KeyError, TypeError):  # no scan can go on from it
        return datetime.min.replace(tzinfo=UTC)
