"""A folder of backups: each file once, named by its sha256, and one list of files per backup."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from extractors.errors import AuditError, ConfigError, SourceError
from extractors.package import fsync_directory, write_atomically

FORMAT = 1
LOCK_FILE = ".lock"
# The configuration as it was written, kept only where no secret stands in it.
CONFIGURATION = "warehouse.yml"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a backup, or one symbolic link: then `target` is set and `sha256` is not."""

    path: str
    mode: int = 0o644
    size: int = 0
    mtime_ns: int = 0
    sha256: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Backup:
    """What one backup holds. `facts` say what it is of: versions, positions, as_of."""

    id: str
    taken_at: str
    product: str
    warehouse: str | None
    facts: dict[str, Any]
    entries: tuple[Entry, ...]

    @property
    def bytes(self) -> int:
        """Return the size of all its files, shared with other backups or not."""
        return sum(entry.size for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Fault:
    """A file of a backup that cannot be brought back."""

    backup: str
    path: str
    object: str
    problem: str


def _list_path(directory: Path, identity: str) -> Path:
    return directory / "backups" / f"{identity}.json"


def object_path(directory: Path, sha256: str) -> Path:
    """Return where the content with this hash is."""
    return directory / "objects" / sha256[:2] / sha256


def ids(directory: Path) -> list[str]:
    """Return the ids of the backups, oldest first."""
    found = (path.stem for path in (directory / "backups").glob("b*.json"))
    return sorted(name for name in found if re.fullmatch(r"b\d+", name))


def next_id(directory: Path) -> str:
    """Return the id of the next backup."""
    known = ids(directory)
    return f"b{int(known[-1][1:]) + 1 if known else 1:06d}"


def read(directory: Path, identity: str | None = None) -> Backup:
    """Return a backup, the newest by default; AuditError where its list was changed."""
    known = ids(directory)
    if not known:
        raise ConfigError(
            f"{directory}: no backups there; `warehouse backup {directory}` makes one"
        )
    identity = identity or known[-1]
    if identity not in known:
        raise ConfigError(f"{directory}: no backup {identity}; there are {', '.join(known)}")
    path = _list_path(directory, identity)
    try:
        document = json.loads(path.read_bytes())
        body = document["backup"]
        if document["format"] == FORMAT and document["sha256"] == _digest(body):
            entries = tuple(Entry(**entry) for entry in body.pop("entries"))
            if all(map(_is_inside, entries)):
                return Backup(**body, entries=entries)
        reason = f"format {document['format']!r}" if document["format"] != FORMAT else "changed"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error)
    raise AuditError(
        f"{path}: not a list of a backup as it was written ({reason});"
        " delete it, or name another backup"
    )


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _is_inside(entry: Entry) -> bool:
    """Return whether an entry can only be written below the folder that it is restored to."""
    path = PurePosixPath(entry.path)
    is_named = entry.sha256 is not None and re.fullmatch(r"[0-9a-f]{64}", entry.sha256) is not None
    # a plain name: the link `..` would lead the entries below it out of the folder
    is_linked = entry.target is not None and PurePosixPath(entry.target).parts == (entry.target,)
    is_linked = is_linked and entry.target != ".."
    return not path.is_absolute() and ".." not in path.parts and is_named != is_linked


def write(directory: Path, backup: Backup) -> None:
    """Write the list of a backup: from here on it exists."""
    path = _list_path(directory, backup.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    body = json.loads(json.dumps(asdict(backup)))
    document = {"format": FORMAT, "sha256": _digest(body), "backup": body}
    write_atomically(path, json.dumps(document, indent=1, sort_keys=True) + "\n")


def holds(directory: Path, entry: Entry) -> bool:
    """Return whether a file's content is there, by its length."""
    assert entry.sha256 is not None
    try:
        return object_path(directory, entry.sha256).stat().st_size == entry.size
    except FileNotFoundError:
        return False


def add(directory: Path, source: Path) -> str:
    """Copy a file's content into the store, durably, and return its sha256."""
    objects = directory / "objects"
    objects.mkdir(parents=True, exist_ok=True)
    temporary = objects / f".{os.getpid()}.tmp"
    with source.open("rb") as readable, temporary.open("wb") as written:
        digest = _copied(readable, written)
    path = object_path(directory, digest)
    path.parent.mkdir(exist_ok=True)
    temporary.replace(path)
    fsync_directory(path.parent)
    return digest


def fetch(directory: Path, entry: Entry, target: Path) -> str | None:
    """Copy a file's content out of the store, durably; return what is wrong with it, or None."""
    assert entry.sha256 is not None
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        readable = object_path(directory, entry.sha256).open("rb")
    except FileNotFoundError:
        return "missing"
    with readable, target.open("wb") as written:
        digest = _copied(readable, written)
    target.chmod(entry.mode)
    os.utime(target, ns=(entry.mtime_ns, entry.mtime_ns))
    return None if digest == entry.sha256 else "damaged"


def _copied(readable: BinaryIO, written: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := readable.read(_CHUNK):
        digest.update(chunk)
        written.write(chunk)
    written.flush()
    os.fsync(written.fileno())
    return digest.hexdigest()


def verify(directory: Path, identities: Sequence[str]) -> list[Fault]:
    """Read every content that the backups name, and return what is missing or damaged."""
    state: dict[str, str | None] = {}
    faults: list[Fault] = []
    for identity in identities:
        for entry in read(directory, identity).entries:
            if entry.sha256 is None:
                continue
            if entry.sha256 not in state:
                state[entry.sha256] = _problem(object_path(directory, entry.sha256), entry.sha256)
            if problem := state[entry.sha256]:
                place = object_path(directory, entry.sha256).relative_to(directory)
                faults.append(Fault(identity, entry.path, str(place), problem))
    return faults


def _problem(path: Path, sha256: str) -> str | None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "missing"
    return None if digest == sha256 else "damaged"


def keep_newest(directory: Path, count: int) -> list[str]:
    """Remove all but the newest backups, then the contents that none names; return those removed.

    The caller is `exclusive`.
    """
    removed = ids(directory)[:-count]
    for identity in removed:
        _list_path(directory, identity).unlink()
    fsync_directory(directory / "backups")
    _remove_unnamed(
        directory, {e.sha256 for i in ids(directory) for e in read(directory, i).entries}
    )
    return removed


def _remove_unnamed(directory: Path, named: Collection[str | None]) -> None:
    for path in (directory / "objects").rglob("*"):
        if path.is_file() and path.name not in named:
            path.unlink()


@contextlib.contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Be the only one who adds to or removes from the folder; SourceError while another does."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(directory, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def shared(directory: Path) -> Iterator[None]:
    """Keep others from removing backups while one is read; a folder nobody can write needs none."""
    if (directory / LOCK_FILE).is_file():
        with _locked(directory, os.O_RDONLY, fcntl.LOCK_SH):
            yield
    else:
        yield


@contextlib.contextmanager
def _locked(directory: Path, flags: int, kind: int) -> Iterator[None]:
    descriptor = os.open(directory / LOCK_FILE, flags | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SourceError(
                f"{directory}: another backup or restore is going on there; wait for it to end"
            ) from None
        yield
    finally:
        os.close(descriptor)
