"""Bring a backup back into an empty home: verified whole before any of it can be seen."""

import contextlib
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from extractors.errors import AuditError, ConfigError, SourceError
from extractors.package import fsync_directory, write_atomically
from warehouse import lease
from warehouse.backup import store
from warehouse.backup.store import CONFIGURATION, Backup
from warehouse.config import Settings

STAGING = ".restore"
VERIFIED = "verified"
# Each names the backup that was restored, until somebody has confirmed that nothing is paid again,
# or no e-mail sent again.
UNCONFIRMED = "restored"
UNCONFIRMED_TRIGGERS = "restored-triggers"
_SHOWN = 5


def restore(settings: Settings, directory: Path, identity: str | None = None) -> Backup:
    """Restore a backup, the newest by default; the next run goes on from there.

    ConfigError: the home holds a warehouse already. AuditError names what is missing or damaged
    in the backup; then nothing is restored. Killed at any moment it is simply repeated.
    """
    backup = store.read(directory, identity)
    with lease.hold(settings.home), store.shared(directory), _clear_errors(settings):
        staged = _staged(settings)
        if staged not in {None, backup.id}:
            raise ConfigError(
                f"{settings.home}: the restore of {staged} was not finished; run"
                f" `warehouse restore {directory} --backup {staged}`"
            )
        if staged is None:
            _require_empty(settings)
            _stage(settings, directory, backup)
        for name in (UNCONFIRMED, UNCONFIRMED_TRIGGERS):
            write_atomically(settings.home / name, backup.id)
        _show(settings)
    return backup


def require_finished(settings: Settings) -> None:
    """Raise ConfigError where a restore was killed: what is there is not a whole warehouse."""
    staging = settings.home / STAGING
    if staging.is_dir() and any(staging.iterdir()):
        raise ConfigError(
            f"{settings.home}: a restore was not finished; run `warehouse restore` again, or"
            f" delete {staging} and what was restored to start over"
        )


def unconfirmed(settings: Settings, name: str = UNCONFIRMED) -> str | None:
    """Return the backup that was restored, None once `confirm` was called or without a restore."""
    try:
        return (settings.home / name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def confirm(settings: Settings, name: str = UNCONFIRMED) -> None:
    """Remember that what the warehouse did after the backup is accounted for."""
    (settings.home / name).unlink(missing_ok=True)


def _staged(settings: Settings) -> str | None:
    """Return the backup that was copied whole by a restore that was killed later."""
    try:
        return (settings.home / STAGING / VERIFIED).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _require_empty(settings: Settings) -> None:
    folders = (settings.state_directory, settings.published_directory, settings.landing)
    there = [folder for folder in folders if any(_visible(folder))]
    if settings.build_database.exists():
        there.append(settings.build_database)
    if there:
        raise ConfigError(
            f"{', '.join(map(str, there))}: not empty; a backup is restored only where nothing"
            " is: move these away, or name another warehouse.home"
        )


def _visible(folder: Path) -> list[Path]:
    """Return what is in a folder but locks and work in progress."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _stage(settings: Settings, directory: Path, backup: Backup) -> None:
    """Copy every file beside its place, and mark the copy as whole."""
    roots = {"landing": settings.landing / STAGING}
    home = settings.home / STAGING
    for folder in (home, *roots.values()):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    faults: list[str] = []
    for entry in backup.entries:
        first, _, rest = entry.path.partition("/")
        target = roots[first] / rest if first in roots else home / entry.path
        if entry.target is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(entry.target)
        elif entry.path != CONFIGURATION and (problem := store.fetch(directory, entry, target)):
            faults.append(f"{entry.path} is {problem} ({entry.sha256})")
    if faults:
        for folder in (home, *roots.values()):
            shutil.rmtree(folder)
        more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise AuditError(
            f"{directory}: backup {backup.id} cannot be restored: {'; '.join(faults[:_SHOWN])}"
            f"{more}; nothing was restored, another backup may be whole"
            f" (`warehouse backup --verify {directory}`)"
        )
    for folder in (home, *roots.values()):
        for path in (folder, *folder.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                fsync_directory(path)
    write_atomically(home / VERIFIED, backup.id)


def _show(settings: Settings) -> None:
    """Move what was staged into place, `published` last: until then readers see no version."""
    for path in _visible(settings.landing / STAGING):
        path.rename(settings.landing / path.name)
    home = settings.home / STAGING
    for path in (home / settings.build_database.name, *sorted(home.glob("*.wal"))):
        if path.exists():
            path.rename(settings.home / path.name)
    for target in (settings.state_directory, settings.published_directory):
        if (home / target.name).exists():
            shutil.rmtree(target, ignore_errors=True)  # at most a lock
            (home / target.name).rename(target)
    fsync_directory(settings.landing)
    fsync_directory(settings.home)
    shutil.rmtree(settings.landing / STAGING, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def configuration(directory: Path, identity: str | None = None) -> bytes:
    """Return the configuration file that a backup holds; ConfigError where it holds none."""
    backup = store.read(directory, identity)
    entry = next((entry for entry in backup.entries if entry.path == CONFIGURATION), None)
    if entry is None or entry.sha256 is None:
        raise ConfigError(
            f"{directory}: backup {backup.id} holds no configuration, since it had a secret in it;"
            " bring your own warehouse.yml"
        )
    content = store.object_path(directory, entry.sha256).read_bytes()
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise AuditError(f"{directory}: {CONFIGURATION} of backup {backup.id} is damaged")
    return content


@contextlib.contextmanager
def _clear_errors(settings: Settings) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"{error.filename or settings.home}: {error.strerror}; the restore is not finished,"
            " run it again"
        ) from None
