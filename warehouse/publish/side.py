"""Side versions: what raw knew at an instant, built aside for comparison and never shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from extractors.errors import ConfigError
from extractors.package import utc_text
from warehouse.config import Settings
from warehouse.publish import publication, versions
from warehouse.publish.publication import Table
from warehouse.publish.versions import TableVersion, Version
from warehouse.state import segments

KIND = "side_version"


@dataclass(frozen=True, slots=True)
class SideVersion(Version):
    """A version beside the published ones, never shown: built from what raw knew at `known_at`.

    `models` is the fingerprint of the dbt project that it was built with.
    """

    known_at: str
    models: str


def side_versions(settings: Settings) -> list[SideVersion]:
    """Return the side versions that can be read, oldest first."""
    files = {path.stem for path in settings.published_directory.glob("r*.duckdb")}
    if not files:
        return []
    return [
        SideVersion(
            record["version"],
            record["as_of"],
            record["published_at"],
            record["published_by"],
            is_current=False,
            tables=tuple(TableVersion(**table) for table in record["tables"]),
            known_at=record["known_at"],
            models=record["models"],
        )
        for record in segments.records(settings.state_directory, KIND)
        if record["version"] in files
    ]


def publish(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    known_at: datetime,
    models: str,
    run_id: str,
    as_of: datetime,
    sources_of: Mapping[Table, Sequence[tuple[str, str]]],
    unmatched: Mapping[tuple[str, str, str], int],
    keys: Mapping[Table, Sequence[str]] | None = None,
    references: Mapping[Table, Sequence[publication.Reference]] | None = None,
    known_hashes: Mapping[Table, tuple[int, str]] | None = None,
) -> SideVersion:
    """Write an audited side build as the next side version; what readers see stays.

    `connection` is on the side's own build database, and `settings` are the warehouse's. The
    caller holds its writer lease. Older side versions go beyond `publication.keep`.
    """
    state, at = settings.state_directory, utc_text(known_at)
    recorded = segments.records(state, KIND)
    earlier = (r for r in versions.publications(settings) if r["published_at"] <= at)
    version = f"r{int(recorded[-1]['version'][1:]) + 1 if recorded else 1:06d}"
    record = {
        "kind": KIND,
        "known_at": at,
        "models": models,
        "run_id": run_id,
        **publication.write(
            connection,
            settings,
            version,
            earlier,
            as_of=as_of,
            sources_of=sources_of,
            unmatched=unmatched,
            keys=keys,
            references=references,
            known_hashes=known_hashes,
        ),
    }
    with segments.exclusive(state):
        segments.append(state, [record])
    _remove_old(settings, {*(r["version"] for r in recorded), version})
    return next(side for side in side_versions(settings) if side.version == version)


def _remove_old(settings: Settings, recorded: set[str]) -> None:
    """Remove all but the newest, never one that is open, and files of killed rebuilds."""
    keep = sorted(recorded)[-settings.publication.keep :]
    files = sorted(settings.published_directory.glob("r*.duckdb"))
    old = [path for path in files if path.stem not in keep]
    for path, is_open in zip(old, versions.open_elsewhere(old), strict=True):
        if not is_open:
            path.unlink()


def remove(settings: Settings, version: str) -> None:
    """Remove the file of a side version; its record stays."""
    known = [side.version for side in side_versions(settings)]
    if version not in known:
        raise ConfigError(
            f"side version {version} does not exist; there are {', '.join(known) or 'none'}"
        )
    path = versions.version_path(settings.published_directory, version)
    if versions.open_elsewhere([path]) == [True]:
        raise ConfigError(f"{version} is open in another process; close it there first")
    path.unlink()
