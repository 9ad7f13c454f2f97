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
# ... and another one that lines were erased: the batch is in another file since.
ERASURE = "trigger_erasure"
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

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per trigger that left; what is kept of erased ones is in `erased_row`."""
        return [json.loads(line) for line in self.text().splitlines()]

    def triggers(self) -> list[dict[str, Any]]:
        """Return the triggers, as they were handed out, less those that were erased since."""
        return [row for row in self.rows() if not is_erased(row)]


def batches(state: Path) -> list[Batch]:
    """Return what left, oldest first."""
    erased = {record["batch"]: record for record in segments.records(state, ERASURE)}
    found: list[Batch] = []
    for record in segments.records(state, KIND):
        file = erased.get(record["number"], record)
        found.append(
            Batch(
                record["number"],
                state / FOLDER / file["file"],
                file["sha256"],
                record["version"],
                datetime.fromisoformat(record["at"]),
            )
        )
    return found


def about(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what a trigger is about, whoever it is for."""
    return row["kind"], row["product_id"], row["evidence_id"]


def erased_row(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what is kept of a trigger whose customer is erased: that one of its kind left.

    The hashes let no trigger leave twice, and name nobody.
    """
    return {
        "kind": row["kind"],
        "erased_trigger": _hash(row["trigger_id"]),
        "erased_about": _hash(about(row)),
    }


def is_erased(row: Mapping[str, Any]) -> bool:
    """Return whether a row of a batch is what is kept of an erased trigger."""
    return "erased_trigger" in row


def prints(row: Mapping[str, Any]) -> set[str]:
    """Return two hashes of a trigger, erased or not: of itself and of what it is about."""
    kept = row if is_erased(row) else erased_row(row)
    return {kept["erased_trigger"], kept["erased_about"]}


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def unfinished(state: Path) -> list[Batch]:
    """Return the batches whose file was never finished: the command was killed before it was."""
    finished = {record["batch"] for record in segments.records(state, FILE)}
    return [batch for batch in batches(state) if batch.number not in finished]


def write(state: Path, number: int, text: str, erasures: int = 0) -> tuple[str, str]:
    """Write the lines of a batch durably; return the file's name and sha256.

    The batch has left once a record names the file: until then it is overwritten by the next one.
    Lines were erased from it in so many `erasures`. The caller holds the writer lease.
    """
    suffix = f"-{erasures}" if erasures else ""
    path = state / FOLDER / f"triggers-{number:06d}{suffix}.jsonl"
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
            **({"trigger_id": row["erased_trigger"]} if is_erased(row) else {}),
            "batch": batch.number,
            "exported_at": batch.exported_at,
        }
        for batch in found
        for row in batch.rows()
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
