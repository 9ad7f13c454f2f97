"""Take a backup: one consistent moment of everything that a warehouse keeps."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from extractors.errors import ConfigError, SourceError
from extractors.package import utc_text
from warehouse import lease
from warehouse.backup import restore, store
from warehouse.backup.store import CONFIGURATION, Backup, Entry
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.export import outbox
from warehouse.ledger import entries
from warehouse.load import positions
from warehouse.publish import versions
from warehouse.state import chain, segments


@dataclass(frozen=True, slots=True)
class Taken:
    """A new backup, how much of it was copied, and which old ones were removed for it."""

    backup: Backup
    copied_files: int
    copied_bytes: int
    removed: tuple[str, ...]

    @property
    def holds_configuration(self) -> bool:
        return any(entry.path == CONFIGURATION for entry in self.backup.entries)


def take(
    settings: Settings,
    directory: Path,
    *,
    keep: int | None = None,
    wait: float = 0.0,
    waiting: Callable[[str], None] | None = None,
) -> Taken:
    """Copy what the newest backup in `directory` does not hold yet, then list the new backup.

    It holds the writer lease; readers go on, and so do rollbacks. Killed before its list is
    written it left contents behind that the next one uses.
    """
    _require_elsewhere(settings, directory)
    restore.require_finished(settings)
    if not settings.state_directory.is_dir():
        raise ConfigError(f"{settings.home}: nothing to back up yet; run `warehouse run` first")
    with (
        lease.hold(settings.home, wait=wait, waiting=waiting),
        _clear_errors(directory),
        store.exclusive(directory),
    ):
        return _take(settings, directory, keep)


def _take(settings: Settings, directory: Path, keep: int | None) -> Taken:
    identity = _identity(settings)
    copying = _Copying(directory, _last_of_this_warehouse(directory, identity))
    where = _positions(settings)
    with segments.exclusive(settings.state_directory):  # a rollback takes no lease
        segments.verify(settings.state_directory)
        entries.verify(settings.state_directory)
        outbox.verify(settings.state_directory)
        copying.add_all(_below(settings.state_directory, "state"))
        current = versions.current_version(settings.published_directory)
        newest = next(versions.publications(settings), None)
    if current:
        target = versions.version_path(settings.published_directory, current).name
        copying.entries.append(Entry(f"published/{versions.POINTER}", target=target))
    files = [
        *((path.name, path) for path in _build_database(settings)),
        *_below(settings.published_directory, "published"),
        *_below(settings.landing, "landing"),
    ]
    copying.add_all(iter(files))
    if _has_no_secret(settings):
        copying.add(CONFIGURATION, settings.path)
    backup = Backup(
        id=store.next_id(directory),
        taken_at=utc_text(datetime.now(UTC)),
        product=version_of("commerce-warehouse"),
        warehouse=identity,
        facts={
            "versions": [entry.version for entry in versions.versions(settings)],
            "current": current,
            "newest": newest["version"] if newest else None,
            "as_of": newest["as_of"] if newest else None,
            "positions": where,
        },
        entries=tuple(sorted(copying.entries, key=lambda entry: entry.path)),
    )
    store.write(directory, backup)
    removed = store.keep_newest(directory, keep) if keep else []
    return Taken(backup, copying.files, copying.bytes, tuple(removed))


class _Copying:
    """Adds files to the store, and counts those whose content was not there yet."""

    def __init__(self, directory: Path, last: Backup | None) -> None:
        self.directory = directory
        self.known = {entry.path: entry for entry in last.entries} if last else {}
        self.entries: list[Entry] = []
        self.files = self.bytes = 0

    def add_all(self, files: Iterator[tuple[str, Path]]) -> None:
        for name, path in files:
            self.add(name, path)

    def add(self, name: str, path: Path) -> None:
        found = path.stat()
        old = self.known.get(name)
        # All but the build database and what a run writes last are never changed in place.
        is_same = old and (old.size, old.mtime_ns) == (found.st_size, found.st_mtime_ns)
        if old and old.sha256 and is_same and store.holds(self.directory, old):
            digest = old.sha256
        else:
            digest = store.add(self.directory, path)
            self.files += 1
            self.bytes += found.st_size
        self.entries.append(
            Entry(name, found.st_mode & 0o777, found.st_size, found.st_mtime_ns, digest)
        )


def _build_database(settings: Settings) -> list[Path]:
    database = settings.build_database
    return [
        path for path in (database, database.with_name(f"{database.name}.wal")) if path.exists()
    ]


def _below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder, also of folders and files that links lead to on other disks.

    Hidden ones are locks and work in progress; the pointer is a link that is kept as one.
    """
    for root, _, names in os.walk(folder, followlinks=True):
        for path in (Path(root, each) for each in sorted(names)):
            relative = path.relative_to(folder)
            is_hidden = any(part.startswith(".") for part in relative.parts)
            is_pointer = (name, relative.as_posix()) == ("published", versions.POINTER)
            if path.is_file() and not is_hidden and not is_pointer:
                yield f"{name}/{relative.as_posix()}", path


def _positions(settings: Settings) -> list[dict[str, Any]]:
    """Return where each raw table stands, with the build database written out whole."""
    if not settings.build_database.is_file():
        return []
    with duckdb_engine.build_database(settings.build_database) as connection:
        found = positions.positions(connection)
        connection.execute("CHECKPOINT")
    return [
        {
            "source": position.source,
            "cell": position.cell,
            "table": position.table,
            "entity": position.entity,
            "position": position.position,
            "complete_up_to": utc_text(position.complete_up_to),
        }
        for position in found
    ]


def _identity(settings: Settings) -> str | None:
    """Return what tells one warehouse from another for good: the hash of its first segment."""
    first = next(chain.forwards(settings.state_directory), None)
    return first.head.sha256 if first else None


def _last_of_this_warehouse(directory: Path, identity: str | None) -> Backup | None:
    if not store.ids(directory):
        return None
    last = store.read(directory)
    if last.warehouse and last.warehouse != identity:
        raise ConfigError(
            f"{directory}: holds the backups of another warehouse (its newest, {last.id}, has"
            f" version {last.facts['newest']}); name a folder of its own for each"
        )
    return last


def _has_no_secret(settings: Settings) -> bool:
    text = settings.path.read_text(encoding="utf-8")
    return not any(secret in text for secret in settings.secrets())


def _require_elsewhere(settings: Settings, directory: Path) -> None:
    place = directory.resolve()
    for folder in (settings.home, settings.landing):
        if place.is_relative_to(folder.resolve()):
            raise ConfigError(
                f"{directory}: inside {folder}, which it is a backup of; name a folder on another"
                " disk"
            )


@contextlib.contextmanager
def _clear_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"{error.filename or directory}: {error.strerror}; no backup was made, those before"
            " it are whole"
        ) from None
