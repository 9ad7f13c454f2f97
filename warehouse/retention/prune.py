"""Apply the configured retention to everything the warehouse keeps on disk."""

import contextlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import duckdb

from extractors.package import (
    MANIFEST,
    Manifest,
    fsync_directory,
    load_id_at,
    package_directory,
    read_manifest,
    verify,
)
from warehouse.config import Settings
from warehouse.engines import duckdb_compaction
from warehouse.engines.duckdb_compaction import RawCell
from warehouse.load import chains, compaction
from warehouse.publish import versions
from warehouse.retention import files, landing
from warehouse.state import segments

Kind = Literal["merged", "packages", "history", "rejected", "versions", "logs", "leftovers"]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, or would be. `count` is of packages, rows (of history) or files.

    What was `merged` is still there until it is as old as `retention.landing_days`.
    """

    kind: Kind
    name: str
    count: int
    bytes: int

    @property
    def freed(self) -> int:
        """Return the bytes that the disk has more."""
        return 0 if self.kind == "merged" else self.bytes


@dataclass(frozen=True, slots=True)
class _Pruning:
    """One pruning: `connection` is the build database, None where there is none yet."""

    settings: Settings
    connection: duckdb.DuckDBPyConnection | None
    tables: tuple[tuple[str, str, str], ...]
    dry_run: bool
    fixed_now: datetime | None

    @property
    def now(self) -> datetime:
        return self.fixed_now or datetime.now(UTC)

    @property
    def keep(self) -> timedelta:
        return timedelta(days=self.settings.retention.landing_days)

    def chains(self) -> dict[RawCell, list[Manifest]]:
        return chains.chains(self.settings.landing, self.tables)

    def name(self, path: Path) -> str:
        for base in (self.settings.landing, self.settings.home):
            if path.is_relative_to(base):
                return str(path.relative_to(base))
        return str(path)


def prune(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection | None,
    tables: Iterable[tuple[str, str, str]],
    *,
    resume_within: timedelta,
    dry_run: bool = False,
    now: datetime | None = None,
) -> list[Pruned]:
    """Remove what the configured retention does not keep; return what, and how much it was.

    `tables` are the configured (source, cell, table), all of whose packages are loaded. With
    `dry_run` nothing changes, and `connection` may be read-only. Killed at any point, what is left
    replays to the same raw. Only under the writer lease, before anything was computed with
    `connection`.
    """
    pruning = _Pruning(settings, connection, tuple(tables), dry_run, now)
    return [
        *_leftovers(pruning, resume_within),
        *_replaced(pruning),
        *_merge(pruning),
        *_rejected(pruning),
        *_versions(pruning),
        *_logs(pruning),
    ]


def _replaced(pruning: _Pruning) -> Iterator[Pruned]:
    """Remove the packages that a merged one has replaced for long enough."""
    for place, chain in pruning.chains().items():
        base, old = landing.removable(chain, pruning.now, pruning.keep)
        if base and old:
            yield _remove_packages(pruning, place, base, old)


def _merge(pruning: _Pruning) -> Iterator[Pruned]:
    """Merge the packages that are due, and those of tables whose history is to be shortened."""
    landed, cut = pruning.chains(), _history_cut(pruning)
    due = landing.to_merge(landed, pruning.now, pruning.keep)
    for place, chain in landed.items():
        outdated = _outdated(pruning, place, chain, cut)
        if place not in due and not outdated:
            continue
        base = None
        if pruning.connection is not None and not pruning.dry_run:
            base = compaction.compact(
                pruning.connection, pruning.settings.landing, chain, drop_history_before=cut
            )
        yield Pruned("merged", str(place), len(chain), sum(m.bytes for m in chain))
        if outdated:
            yield Pruned("history", str(place), outdated, 0)
        if not pruning.keep:
            yield _remove_packages(pruning, place, base, chain)


def _history_cut(pruning: _Pruning) -> str | None:
    days = pruning.settings.retention.history_days
    return None if days is None else load_id_at(pruning.now - timedelta(days=days))


def _outdated(pruning: _Pruning, place: RawCell, chain: Sequence[Manifest], cut: str | None) -> int:
    if cut is None or pruning.connection is None:
        return 0
    return duckdb_compaction.outdated_rows(pruning.connection, place, chain[-1].key, cut)


def _remove_packages(
    pruning: _Pruning, place: RawCell, base: Manifest | None, old: Sequence[Manifest]
) -> Pruned:
    """Remove packages, the oldest first, once the one that replaces them was seen to be whole."""
    if base and not pruning.dry_run:
        verify(package_directory(pruning.settings.landing, base), base)
        for manifest in old:
            _remove_package(package_directory(pruning.settings.landing, manifest))
    return Pruned("packages", str(place), len(old), sum(manifest.bytes for manifest in old))


def _remove_package(directory: Path) -> None:
    """Remove a package, its manifest first: half removed it is none."""
    (directory / MANIFEST).unlink()
    fsync_directory(directory)
    shutil.rmtree(directory)


def _rejected(pruning: _Pruning) -> Iterator[Pruned]:
    oldest = pruning.now - timedelta(days=pruning.settings.retention.rejected_days)
    old = [
        directory
        for directory in files.rejected(pruning.settings.landing)
        if read_manifest(directory).finished_at < oldest
    ]
    return _remove(pruning, "rejected", old)


def _versions(pruning: _Pruning) -> Iterator[Pruned]:
    settings = pruning.settings
    old = versions.old_files(settings)
    found = [Pruned("versions", path.stem, 1, files.size(path)) for path in old]
    if found and not pruning.dry_run:
        with segments.exclusive(settings.state_directory):
            removed = versions.remove_old(settings)
        found = [pruned for pruned in found if pruned.name in removed]
    yield from found


def _logs(pruning: _Pruning) -> Iterator[Pruned]:
    """Remove old logs; a large one is put aside once, in place of the one before it."""
    settings = pruning.settings
    keep = timedelta(days=settings.retention.log_days)
    yield from _remove(pruning, "logs", files.old_logs(settings, pruning.now, keep))
    for path in list(files.full_logs(settings)):
        aside = path.with_name(path.name + ".1")
        if aside.exists():
            yield Pruned("logs", pruning.name(aside), 1, files.size(aside))
        if not pruning.dry_run:
            path.replace(aside)


def _leftovers(pruning: _Pruning, resume_within: timedelta) -> Iterator[Pruned]:
    settings = pruning.settings
    found = files.leftovers(settings, resume_within)
    if pruning.dry_run:
        return _remove(pruning, "leftovers", found)
    with segments.exclusive(settings.state_directory):  # a rollback may be writing there
        return iter(list(_remove(pruning, "leftovers", found)))


def _remove(pruning: _Pruning, kind: Kind, paths: Iterable[Path]) -> Iterator[Pruned]:
    for path in list(paths):
        pruned = Pruned(kind, pruning.name(path), 1, files.size(path))
        if not pruning.dry_run:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
        yield pruned
