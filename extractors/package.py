"""Write and read load packages: Parquet parts and, last, a manifest with their checksums."""

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self, cast

import pyarrow as pa
import pyarrow.parquet as pq

from extractors.errors import SourceError

FORMAT = 1
MANIFEST = "manifest.json"
EXTRACTOR_VERSION = "1"

Mode = Literal["full", "incremental", "stream", "export", "compacted"]

# One rejected row of a source: what it was and why it is not in the parts. `complete` says that the
# payload holds the whole row, nothing personal left out, so that it can be replayed.
QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("reason", pa.string(), nullable=False),
        pa.field("field", pa.string()),
        pa.field("row_key", pa.string()),
        pa.field("payload", pa.string(), nullable=False),
        pa.field("complete", pa.bool_()),
    ]
)


@dataclass(frozen=True, slots=True)
class Column:
    """One raw column: its name and DuckDB type, and the source's name and type for it."""

    name: str
    type: str
    source_name: str
    source_type: str
    pii: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a package."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a load package holds and where it stands in its table's chain of positions.

    `from_` and `to` are opaque positions of the extractor; `source_position` orders packages
    (never falling); `complete_up_to` is UTC: everything that happened at the source before it is
    in this package or an earlier one. rows + quarantined = rows read. A `compacted` package holds
    what raw made of those that it `replaces` (load ids), and was not read from the source.
    """

    load_id: str
    source: str
    cell: str
    table: str
    entity: str
    mode: Mode
    key: tuple[str, ...]
    from_: dict[str, Any] | None
    to: dict[str, Any]
    source_position: int
    complete_up_to: datetime
    columns: tuple[Column, ...]
    rows: int
    quarantined: int
    bytes: int
    parts: tuple[Part, ...]
    quarantine: tuple[Part, ...]
    arrow_schema: tuple[str, ...]
    started_at: datetime
    finished_at: datetime
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    snapshots: int = 1
    replaces: tuple[str, ...] = ()
    extractor_version: str = EXTRACTOR_VERSION
    format: int = FORMAT

    def to_json(self) -> str:
        document = asdict(self)
        document["from"] = document.pop("from_")
        for name in ("complete_up_to", "started_at", "finished_at"):
            document[name] = utc_text(document[name])
        return json.dumps(document, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        document = cast("dict[str, Any]", json.loads(text))
        if document.get("format") != FORMAT:
            raise SourceError(f"manifest format {document.get('format')!r}, this reads {FORMAT}")
        document["from_"] = document.pop("from")
        for name in ("complete_up_to", "started_at", "finished_at"):
            document[name] = datetime.fromisoformat(document[name])
        document["columns"] = tuple(Column(**column) for column in document["columns"])
        for name in ("parts", "quarantine"):
            document[name] = tuple(Part(**part) for part in document[name])
        for name in ("key", "arrow_schema", "replaces"):
            document[name] = tuple(document.get(name, ()))
        return cls(**document)


def utc_text(moment: datetime) -> str:
    """Return an aware time as ISO-8601 UTC text with six digits and a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_load_id(after: str = "") -> str:
    """Return a UUIDv7 (RFC 9562, 5.7): sorts by its time, and after the given id.

    The 12 bits behind the milliseconds hold their fraction, so that ids made one after the other
    sort in that order. `after` guards against a system clock that was set back.
    """
    nanoseconds = time.time_ns()
    if after:
        milliseconds = int(after.replace("-", "")[:12], 16)
        nanoseconds = max(nanoseconds, (milliseconds + 1) * 1_000_000)
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    value = milliseconds << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64
    value |= 0x2 << 62 | int.from_bytes(os.urandom(8)) >> 2
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def load_id_at(moment: datetime) -> str:
    """Return the text that sorts before all load ids made at `moment` or later."""
    text = f"{max(0, int(moment.timestamp() * 1000)):012x}"
    return f"{text[:8]}-{text[8:]}"


def fsync_directory(directory: Path) -> None:
    """Make the names in `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, text: str) -> None:
    """Write `text` beside `path`, fsync, and rename it into place."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    fsync_directory(path.parent)


class PackageWriter:
    """Collect the parts of one package; nothing counts until `commit` writes the manifest.

    Write each part to the path that `new_part()` returns (Parquet, raw column names), then call
    `add_part(path)`. Used as a context manager, an uncommitted folder is removed at the end.
    """

    def __init__(
        self, landing: Path, source: str, cell: str, table: str, entity: str | None = None
    ) -> None:
        self.source, self.cell, self.table, self.entity = source, cell, table, entity or table
        parent = landing / source / cell / table
        earlier = max((path.parent.name for path in parent.glob(f"*/{MANIFEST}")), default="")
        self.load_id = new_load_id()
        if self.load_id <= earlier:
            self.load_id = new_load_id(earlier.removeprefix("rejected-"))
        self.directory = parent / self.load_id
        self.started_at = datetime.now(UTC)
        self._parts: list[Part] = []
        self._quarantine: list[Part] = []
        self._schema: tuple[str, ...] = ()
        self._allocated = 0
        self._committed = False
        self.directory.mkdir(parents=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if not self._committed:
            shutil.rmtree(self.directory, ignore_errors=True)

    def new_part(self) -> Path:
        """Return the path of the next part."""
        self._allocated += 1
        return self.directory / f"part-{self._allocated - 1:05d}.parquet"

    def add_part(self, path: Path) -> Part:
        """Make a written part durable and take it into the package."""
        part = _sealed(path)
        self._schema = tuple(f"{column.name}: {column.type}" for column in pq.read_schema(path))
        self._parts.append(part)
        return part

    def quarantine(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep rejected rows, as `QUARANTINE_SCHEMA` describes them, in the package."""
        if not rows:
            return
        path = self.directory / f"quarantine-{len(self._quarantine):05d}.parquet"
        pq.write_table(pa.Table.from_pylist(list(rows), schema=QUARANTINE_SCHEMA), path)
        self._quarantine.append(_sealed(path))

    def commit(
        self,
        *,
        mode: Mode,
        key: Sequence[str],
        columns: Sequence[Column],
        from_: dict[str, Any] | None,
        to: dict[str, Any],
        source_position: int,
        complete_up_to: datetime,
        facts: dict[str, Any] | None = None,
        snapshots: int = 1,
        replaces: Sequence[str] = (),
    ) -> Manifest:
        """Write the manifest: from here on the package exists."""
        files = [*self._parts, *self._quarantine]
        manifest = Manifest(
            load_id=self.load_id,
            source=self.source,
            cell=self.cell,
            table=self.table,
            entity=self.entity,
            mode=mode,
            key=tuple(key),
            from_=from_,
            to=to,
            source_position=source_position,
            complete_up_to=complete_up_to.astimezone(UTC),
            columns=tuple(columns),
            rows=sum(part.rows for part in self._parts),
            quarantined=sum(part.rows for part in self._quarantine),
            bytes=sum(part.bytes for part in files),
            parts=tuple(self._parts),
            quarantine=tuple(self._quarantine),
            arrow_schema=self._schema,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            facts=facts or {},
            snapshots=snapshots,
            replaces=tuple(replaces),
        )
        fsync_directory(self.directory)
        fsync_directory(self.directory.parent)
        write_atomically(self.directory / MANIFEST, manifest.to_json())
        self._committed = True
        return manifest


def _sealed(path: Path) -> Part:
    """Return the part of a written file, fsynced."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    rows = pq.read_metadata(path).num_rows
    return Part(path.name, rows, path.stat().st_size, digest)


def package_directory(landing: Path, manifest: Manifest) -> Path:
    """Return the folder of a package."""
    return landing / manifest.source / manifest.cell / manifest.table / manifest.load_id


def read_manifest(directory: Path) -> Manifest:
    """Return a package's manifest; SourceError where the folder is not a package."""
    path = directory / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SourceError(
            f"{directory}: not a load package ({error.strerror}: {MANIFEST})"
        ) from None
    try:
        return Manifest.from_json(text)
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path}: not a manifest of this product ({error})") from None


def verify(directory: Path, manifest: Manifest) -> None:
    """Check every file's length and sha256; SourceError names the first that differs."""
    for part in (*manifest.parts, *manifest.quarantine):
        path = directory / part.name
        if not path.is_file():
            raise SourceError(f"{path}: missing; the package is incomplete, extract it again")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if path.stat().st_size != part.bytes or digest != part.sha256:
            raise SourceError(
                f"{path}: checksum differs from {MANIFEST}; the file changed after it was written"
            )


def packages(landing: Path, source: str, cell: str, table: str) -> Iterator[Path]:
    """Yield the package folders of a table, oldest first (a load id sorts by its time)."""
    parent = landing / source / cell / table
    if parent.is_dir():
        for directory in sorted(parent.iterdir()):
            if (directory / MANIFEST).is_file():
                yield directory


def sweep(landing: Path, source: str, cell: str, table: str) -> list[str]:
    """Remove folders without a manifest (killed extractions) and return their names.

    Only the holder of the writer lease may call it: a folder being written looks the same.
    """
    parent = landing / source / cell / table
    if not parent.is_dir():
        return []
    # A hidden folder is an extractor's work in progress that can be resumed.
    torn = [
        path
        for path in sorted(parent.iterdir())
        if path.is_dir() and not path.name.startswith(".") and not (path / MANIFEST).is_file()
    ]
    for path in torn:
        shutil.rmtree(path)
    return [path.name for path in torn]
