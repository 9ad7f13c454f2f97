"""The versions that exist, which one readers see, and how that changes."""

import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extractors.errors import ConfigError, SourceError
from extractors.package import fsync_directory, utc_text
from warehouse.config import Settings
from warehouse.publish import targets as places
from warehouse.publish.targets import Target
from warehouse.state import segments
from warehouse.who import who

POINTER = "current"


@dataclass(frozen=True, slots=True)
class TableVersion:
    """One table of a version; equal content_hash means equal rows."""

    schema: str
    table: str
    rows: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable set of public tables. `as_of` and `published_at` are ISO-8601 UTC text.

    `published_by` is USER@HOST of the run; versions of earlier releases have none.
    """

    version: str
    as_of: str
    published_at: str
    published_by: str | None
    is_current: bool
    tables: tuple[TableVersion, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"tables": [asdict(table) for table in self.tables]}


def version_path(published: Path, version: str) -> Path:
    """Return the file of a version."""
    return published / f"{version}.duckdb"


def current_version(published: Path) -> str | None:
    """Return the version that the pointer names, None before the first publication."""
    try:
        return (published / POINTER).readlink().stem
    except OSError:
        return None


def publications(settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield the publication records of state, newest first, read as far as the caller goes."""
    return segments.newest_first(settings.state_directory, "publication")


def publication(settings: Settings, version: str | None) -> dict[str, Any] | None:
    """Return the publication record of a version, None where there is none."""
    return next((r for r in publications(settings) if r["version"] == version), None)


def record_of(settings: Settings, version: str) -> dict[str, Any] | None:
    """Return what state says of a version, or of a side version; None for no such name."""
    records = segments.newest_first(settings.state_directory, "publication", "side_version")
    return next((record for record in records if record["version"] == version), None)


def reporting_of(settings: Settings, version: str) -> tuple[str, str]:
    """Return the currency and the time zone that a version was built in.

    The configuration may have others by now; of versions that do not say it, it tells.
    """
    record, now = record_of(settings, version) or {}, settings.warehouse
    return (
        record.get("reporting_currency", now.reporting_currency),
        record.get("reporting_time_zone", now.reporting_time_zone),
    )


def versions(settings: Settings) -> list[Version]:
    """Return the versions that can be read, oldest first."""
    published = settings.published_directory
    current = current_version(published)
    files = {path.stem for path in published.glob("v*.duckdb")}
    found: list[Version] = []
    for record in publications(settings):
        name = record["version"]
        if not files or name < min(files):
            break
        if name in files:
            files.remove(name)
            found.append(
                Version(
                    name,
                    record["as_of"],
                    record["published_at"],
                    record.get("published_by"),
                    name == current,
                    tuple(TableVersion(**table) for table in record["tables"]),
                )
            )
    return found[::-1]


def held_version(settings: Settings) -> str | None:
    """Return the version that a rollback holds, None when each publication is shown at once."""
    last = next(segments.newest_first(settings.state_directory, "hold", "resume"), None)
    return last["version"] if last and last["kind"] == "hold" else None


def newest_version(settings: Settings) -> str | None:
    """Return the newest version, shown or held back; None before the first publication."""
    newest = next(publications(settings), None)
    return newest["version"] if newest else None


def desired_version(settings: Settings) -> str | None:
    """Return the version that readers should see: the held one, else the newest published."""
    return held_version(settings) or newest_version(settings)


def switch(published: Path, version: str) -> None:
    """Make readers that open from now on see `version`, in one rename."""
    temporary = published / f".{POINTER}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    temporary.symlink_to(version_path(published, version).name)
    temporary.replace(published / POINTER)
    fsync_directory(published)


def targets(settings: Settings) -> tuple[Target, ...]:
    """Return the places where readers find versions: the files, and where BI tools connect."""
    published = settings.published_directory
    files = Target(
        "duckdb",
        shown=lambda: current_version(published),
        has=lambda version: version_path(published, version).is_file(),
        prepare=lambda record: version_path(published, record["version"]).is_file(),
        show=lambda version: switch(published, version),
        collect=lambda: None,  # `remove_old` does, with what no pointer names
    )
    if settings.publication.postgres is None:
        return (files,)
    from warehouse.publish import postgres_target  # its drivers load for who uses it

    return (
        files,
        postgres_target.target(
            settings,
            lambda: publications(settings),
            lambda version: version_path(published, version),
        ),
    )


def problems(settings: Settings) -> places.Problems:
    """Return where it stands what keeps a target from going along."""
    return places.Problems(settings.home / places.FOLDER)


def complete_switch(settings: Settings) -> str | None:
    """Finish a switch that was killed after its version was prepared; return what readers see.

    A version that a target lost is not shown there, but built again. The caller is `exclusive` in
    state.
    """
    wanted = desired_version(settings)
    if wanted:
        places.switch(targets(settings), wanted, problems(settings))
    return wanted


def catch_up(settings: Settings) -> None:
    """Bring what readers should see to the targets that could not take it before, and show it.

    It may load whole tables: the caller is not `exclusive` in state.
    """
    if settings.publication.postgres is None:
        return  # a version's file is there before its record is
    record = publication(settings, desired_version(settings))
    if record is not None:
        places.catch_up(targets(settings), record, problems(settings))
        with segments.exclusive(settings.state_directory):
            complete_switch(settings)


def collect(settings: Settings) -> None:
    """Remove from the targets what no version that is kept needs. Only under the writer lease."""
    places.collect(targets(settings), problems(settings))


def _require_shown(settings: Settings, version: str) -> None:
    """Raise SourceError where a target still shows another version."""
    for state in places.states(targets(settings), version, problems(settings)):
        if state["lags"]:
            raise SourceError(
                f"target {state['name']} does not show {version} yet"
                f" ({state['problem'] or 'it was not prepared there'}); the others do;"
                " the next command brings it there"
            )


def rollback(settings: Settings, version: str | None = None) -> Version:
    """Show an earlier version (the one before the current by default) and hold it.

    It waits for no run: one that is going on publishes into the hold.
    """
    with segments.exclusive(settings.state_directory):
        complete_switch(settings)
        known = versions(settings)
        names = [entry.version for entry in known]
        current = current_version(settings.published_directory)
        if version is None:
            earlier = names[: names.index(current)] if current in names else []
            if not earlier:
                raise ConfigError(
                    "there is no earlier version to roll back to; `warehouse versions` lists them"
                )
            version = earlier[-1]
        if version not in names:
            raise ConfigError(
                f"version {version} does not exist; there are {', '.join(names) or 'none yet'}"
            )
        _record(settings, "hold", version=version)
        complete_switch(settings)
    catch_up(settings)
    _require_shown(settings, version)
    return _one(settings, version)


def resume(settings: Settings) -> Version:
    """End a hold and show the newest version."""
    with segments.exclusive(settings.state_directory):
        if held_version(settings):
            _record(settings, "resume")
        wanted = complete_switch(settings)
    if wanted is None:
        raise ConfigError("nothing is published yet; run `warehouse run` first")
    if not version_path(settings.published_directory, wanted).is_file():
        raise ConfigError(f"the file of {wanted} is gone; `warehouse run` makes a new version")
    catch_up(settings)
    _require_shown(settings, wanted)
    return _one(settings, wanted)


def _record(settings: Settings, kind: str, **body: str) -> None:
    at = utc_text(datetime.now(UTC))
    segments.append(settings.state_directory, [{"kind": kind, **body, "at": at, "by": who()}])


def _one(settings: Settings, version: str) -> Version:
    return next(entry for entry in versions(settings) if entry.version == version)


_OPEN_ELSEWHERE = """
import fcntl, os, struct, sys
for path in sys.argv[1:]:
    descriptor = os.open(path, os.O_RDWR)
    query = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    answer = struct.unpack("hhqqi4x", fcntl.fcntl(descriptor, fcntl.F_GETLK, query))
    print(int(answer[0] != fcntl.F_UNLCK))
"""


def open_elsewhere(paths: Sequence[Path]) -> list[bool]:
    """Return for each file whether a reader has it open.

    Asked from another process: opening and closing a file here would drop this process's own
    locks on it (POSIX record locks belong to the process, not to the descriptor).
    """
    if not paths:
        return []
    answer = subprocess.run(
        [sys.executable, "-S", "-c", _OPEN_ELSEWHERE, *map(str, paths)],
        check=True,
        capture_output=True,
        text=True,
    )
    return [line == "1" for line in answer.stdout.split()]


def sweep(published: Path) -> None:
    """Remove the half-written files of killed publications. Only under the writer lease."""
    for stray in published.glob(".[rv]*.tmp*"):
        stray.unlink()


def old_files(settings: Settings) -> list[Path]:
    """Return the files of all but the newest `publication.keep` versions.

    Never one that readers see or have open. Files that no publication record names are among them:
    a publication was killed before it was recorded.
    """
    published = settings.published_directory
    newest = itertools.islice(publications(settings), settings.publication.keep)
    keep = {*(record["version"] for record in newest), current_version(published)}
    old = [path for path in sorted(published.glob("v*.duckdb")) if path.stem not in keep]
    return [path for path, is_open in zip(old, open_elsewhere(old), strict=True) if not is_open]


def remove_old(settings: Settings) -> list[str]:
    """Remove the versions that are too old and return them.

    The caller holds the writer lease and is `exclusive` in state.
    """
    removed = old_files(settings)
    for path in removed:
        path.unlink()
    return [path.stem for path in removed]
