"""Erase a customer from the trigger e-mails that were handed out, and keep that they were."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from extractors.package import fsync_directory, utc_text
from warehouse import lease
from warehouse.backup import restore
from warehouse.config import Settings
from warehouse.export import outbox
from warehouse.export.outbox import Batch
from warehouse.state import segments
from warehouse.who import who


@dataclass(frozen=True, slots=True)
class Forgotten:
    """So many triggers of the customer were erased, from so many batches."""

    triggers: int
    batches: int


def forget(settings: Settings, customer: str, *, wait: float = 0.0) -> Forgotten:
    """Erase a customer from `state/outbox`; nothing is left there that names them.

    All batches change with one segment; files that held the lines are removed after it. Killed in
    between, the same call goes on. AuditError where a file is not the one that was recorded.
    """
    state = settings.state_directory
    with lease.hold(settings.home, wait=wait):
        restore.require_finished(settings)
        segments.verify(state)
        known = outbox.verify(state)
        before = [record["batch"] for record in segments.records(state, outbox.ERASURE)]
        erased, records = 0, []
        for batch in known:
            rows = batch.rows()
            chosen = [row.get("customer_id") == customer for row in rows]
            if not any(chosen):
                continue
            text = outbox.text_of(
                [
                    outbox.erased_row(row) if is_chosen else row
                    for row, is_chosen in zip(rows, chosen, strict=True)
                ]
            )
            number = before.count(batch.number) + 1
            name, digest = outbox.write(state, batch.number, text, number)
            records.append(
                {
                    "kind": outbox.ERASURE,
                    "id": f"{outbox.ERASURE}:{batch.number}:{number}",
                    "batch": batch.number,
                    "file": name,
                    "sha256": digest,
                    "rows": sum(chosen),
                    "recorded_at": utc_text(datetime.now(UTC)),
                    "by": who(),
                }
            )
            erased += sum(chosen)
        if records:
            with segments.exclusive(state):
                segments.append(state, records)
        _remove_unnamed(state, outbox.batches(state))
    return Forgotten(erased, len(records))


def _remove_unnamed(state: Path, named: Sequence[Batch]) -> None:
    """Remove what is in no batch: lines before an erasure, or of an export that was killed."""
    folder = state / outbox.FOLDER
    if not folder.is_dir():
        return
    for path in set(folder.iterdir()) - {batch.path for batch in named}:
        path.unlink()
    fsync_directory(folder)
