"""Write entries as a file of `state/ledger`; the record that names it is what posts them."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from extractors.errors import AuditError
from extractors.package import fsync_directory, utc_text
from warehouse.ledger import columns, entries

# Its functions are made when it is imported: no checker of types knows them.
pc: Any = pyarrow.compute


def write(
    state: Path, rows: columns.Table, run_id: str, as_of: datetime | None = None
) -> list[dict[str, Any]]:
    """Write entries (`columns.ENTRIES`) durably; return the records that post them, none for none.

    `as_of` is the tick of the run that posts them; a command has none.

    They are posted once the records are in a segment of state: until then the file counts for
    nothing, is overwritten by the next one and removed by `entries.sweep`. The caller holds the
    writer lease from before the entries were made to after the segment is written. AuditError where
    they are no whole transactions, or are posted already.
    """
    if not rows.num_rows:
        return []
    posted = entries.postings(state)
    _require_whole(rows)
    _require_new(rows, posted)
    last = posted[-1] if posted else None
    number = last.number + 1 if last else 1
    path = state / entries.FOLDER / f"entries-{number:06d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    pq.write_table(rows.select(columns.ENTRIES.names).cast(columns.ENTRIES), temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    temporary.replace(path)
    fsync_directory(path.parent)
    fsync_directory(state)
    return [
        {
            "kind": entries.KIND,
            "id": f"{entries.KIND}:{number:06d}",
            "number": number,
            "file": path.name,
            "sha256": digest,
            "previous": last.sha256 if last else entries.GENESIS,
            "rows": rows.num_rows,
            "run_id": run_id,
            "as_of": utc_text(as_of) if as_of else None,
            "published_at": utc_text(datetime.now(UTC)),
        }
    ]


def _require_whole(rows: columns.Table) -> None:
    """Raise AuditError where a transaction does not sum to 0 in each of its currencies."""
    sums = rows.group_by(["transaction_id", "currency"]).aggregate([("amount", "sum")])
    wrong = sums.filter(pc.not_equal(sums["amount_sum"], pa.scalar(0, sums["amount_sum"].type)))
    if wrong.num_rows:
        [first] = wrong.slice(0, 1).to_pylist()
        raise AuditError(
            f"transaction {first['transaction_id']} does not sum to 0 but to"
            f" {first['amount_sum']} {first['currency']}; nothing was posted"
        )


def _require_new(rows: columns.Table, posted: list[entries.Posting]) -> None:
    """Raise AuditError where an entry is posted already, or comes twice."""
    ids = rows["entry_id"]
    known = [pq.read_table(one.path, columns=["entry_id"])["entry_id"] for one in posted]
    is_known = pc.is_in(ids, pa.chunked_array([c for k in known for c in k.chunks], pa.string()))
    again = ids.filter(is_known).to_pylist()[:1]
    if not again and pc.count_distinct(ids).as_py() < len(ids):
        again = [max(pc.value_counts(ids).to_pylist(), key=lambda one: one["counts"])["values"]]
    if again:
        raise AuditError(f"entry {again[0]} is posted already; nothing was posted")
