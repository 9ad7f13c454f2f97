"""Keep what trigger e-mails left the warehouse: files in `state/outbox`, each named by a record."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from extractors.errors import AuditError
from extractors.package import fsync_directory, utc_text, write_atomically
from warehouse.state import chain, segments

# A batch counts from its record on; another record tells that its file was finished.
KIND = "trigger_outbox"
FILE = "trigger_file"
FOLDER = "outbox"
# pyarrow ships no types: these are its Table and Schema.
Table = Any
COLUMNS = pa.schema(
    [
        ("trigger_id", pa.string()),
        ("batch", pa.int64()),
        ("kind", pa.string()),
        ("customer_id", pa.string()),
        ("product_id", pa.string()),
        ("exported_at", pa.timestamp("us", "UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Triggers that left together: the lines of the file that was handed out are in `path`."""

    number: int
    path: Path
    sha256: str
    version: str
    exported_at: datetime

    def text(self) -> str:
        """Return the lines; AuditError where they are not those that were recorded."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            raise AuditError(f"{self.path}: is missing; {chain.RESTORE}") from None
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise AuditError(f"{self.path}: was changed after it was written; {chain.RESTORE}")
        return content.decode()

    def triggers(self) -> list[dict[str, Any]]:
        """Return the triggers, as they were handed out."""
        return [json.loads(line) for line in self.text().splitlines()]


def batches(state: Path) -> list[Batch]:
    """Return what left, oldest first."""
    return [
        Batch(
            record["number"],
            state / FOLDER / record["file"],
            record["sha256"],
            record["version"],
            datetime.fromisoformat(record["at"]),
        )
        for record in segments.records(state, KIND)
    ]


def unfinished(state: Path) -> list[Batch]:
    """Return the batches whose file was never finished: the command was killed before it was."""
    finished = {record["batch"] for record in segments.records(state, FILE)}
    return [batch for batch in batches(state) if batch.number not in finished]


def write(state: Path, number: int, text: str) -> tuple[str, str]:
    """Write the lines of a batch durably; return the file's name and sha256.

    The batch has left once a record names the file: until then it is overwritten by the next one.
    The caller holds the writer lease.
    """
    path = state / FOLDER / f"triggers-{number:06d}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    fsync_directory(state)
    write_atomically(path, text)
    return path.name, hashlib.sha256(text.encode()).hexdigest()


def verify(state: Path) -> list[Batch]:
    """Check every batch's lines against its record and return the batches, oldest first."""
    found = batches(state)
    for batch in found:
        batch.text()
    return found


def digest(found: Sequence[Batch]) -> str:
    """Return a text that differs whenever what left does; empty where nothing did."""
    left = [(batch.number, batch.sha256, batch.exported_at) for batch in found]
    return hashlib.sha256(repr(left).encode()).hexdigest() if left else ""


def table(found: Sequence[Batch]) -> Table:
    """Return one row per trigger that left, columns as in COLUMNS."""
    rows: list[Mapping[str, Any]] = [
        {
            **{name: row.get(name) for name in ("trigger_id", "kind", "customer_id", "product_id")},
            "batch": batch.number,
            "exported_at": batch.exported_at,
        }
        for batch in found
        for row in batch.triggers()
    ]
    return pa.Table.from_pylist(list(rows), schema=COLUMNS)


def text_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as JSON lines; times are ISO 8601 in UTC."""
    return "".join(
        json.dumps(
            {
                name: utc_text(value) if isinstance(value, datetime) else value
                for name, value in row.items()
            }
        )
        + "\n"
        for row in rows
    )
