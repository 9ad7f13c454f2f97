"""Hand out the trigger e-mails that are due: recorded in state first, then written as a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extractors.errors import ConfigError
from extractors.package import utc_text, write_atomically
from warehouse import lease
from warehouse.backup import restore
from warehouse.config import Settings
from warehouse.export import files, lists, outbox
from warehouse.export.lists import Source
from warehouse.export.outbox import Batch
from warehouse.state import segments
from warehouse.who import who

# What the links of an e-mail carry, so that its visits and orders are told to be its own.
LINK = """
    'email' as utm_medium, 'trigger_' || kind as utm_campaign, trigger_id as utm_content
"""
DUE = f"""
select
    trigger_id, kind, priority, customer_id, product_id, evidence_type, evidence_id, evidence_at,
    due_at, expires_at, {LINK}
from recommendation.email_triggers
where status = 'due' and expires_at > $now
order by customer_id, priority, trigger_id
"""
SENT = "select trigger_id from recommendation.email_triggers where status = 'sent'"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `is_new` is false for a batch that was recorded before.

    `batch` is None, and no file was written, where nothing new is due. `held_back` are due, but
    their customers were written to since the version's as_of: the next one tells if they may be.
    `last_batch` is the latest one that is recorded, and `last_triggers` are how many are in it.
    """

    batch: int | None
    is_new: bool
    triggers: int
    held_back: int
    version: str
    file: Path | None
    last_batch: int | None
    last_triggers: int


def export(
    settings: Settings,
    to: Path,
    *,
    again: int | None = None,
    after_restore: bool = False,
    wait: float = 0.0,
) -> Exported:
    """Record what is due in the published version as a batch, and write its file.

    A batch whose file was not finished comes first, with its number: killed in between, the same
    command goes on. `again` writes the file of an earlier batch once more. `after_restore` confirms
    that the e-mails which a restored backup does not know of were read back: a batch that it holds
    unfinished left if one of it was. ConfigError changes nothing.
    """
    files.check(to, (".jsonl",))
    state = settings.state_directory
    with lease.hold(settings.home, wait=wait):
        restore.require_finished(settings)
        segments.verify(state)
        known = outbox.verify(state)
        if again is None and not after_restore:
            _require_confirmed(settings)
        if after_restore:
            _finish_those_sent(settings)
        unfinished = outbox.unfinished(state)
        held_back, is_new = 0, False
        if again is not None:
            batch = _numbered(known, again)
        elif unfinished:
            batch = unfinished[0]
        else:
            version, due, held_back = _due(settings, known)
            if after_restore and not due:
                restore.confirm(settings, restore.UNCONFIRMED_TRIGGERS)
            if not due:
                return Exported(None, False, 0, held_back, version, None, *_last(known))
            text = outbox.text_of(due)
            _require_free(to, text)
            batch, is_new = _record(settings, len(known) + 1, version, text), True
            known.append(batch)
        text = outbox.text_of(batch.triggers())
        _require_free(to, text)
        try:
            write_atomically(to, text)
        except OSError as error:
            raise ConfigError(
                f"{to}: {error.strerror}; batch {batch.number} is recorded: name another file and"
                " run the command again"
            ) from None
        if is_new or batch in unfinished:
            _append(state, _finished(batch, to))
        if after_restore:
            restore.confirm(settings, restore.UNCONFIRMED_TRIGGERS)
    count = len(text.splitlines())
    return Exported(batch.number, is_new, count, held_back, batch.version, to, *_last(known))


def _due(settings: Settings, known: Sequence[Batch]) -> tuple[str, list[dict[str, Any]], int]:
    """Return the published version, what is due by it and never left, and how many wait for a cap.

    A version counts the e-mails until its as_of towards the caps. A customer who was written to
    since, or whose e-mail an older version still shows as due, waits for a version that knows it.
    What led to an e-mail leads to no other one of its kind: that of a merged account has a new id.
    """
    source, due = _found(settings, DUE, {"now": settings.now()})
    left: set[str] = set()
    written: set[str] = set()
    for batch in known:
        left.update(*map(outbox.prints, batch.rows()))
        if batch.exported_at > source.as_of:
            written |= {row["customer_id"] for row in batch.triggers()}
    new = [row for row in due if left.isdisjoint(outbox.prints(row))]
    chosen = [row for row in new if row["customer_id"] not in written]
    return source.version, chosen, len(new) - len(chosen)


def _found(
    settings: Settings, query: str, values: Mapping[str, Any]
) -> tuple[Source, list[dict[str, Any]]]:
    """Return the published version, closed again, and what a query on its triggers finds."""
    source = lists.opened(settings, None)
    with source.published as published:
        lists.require(source, ("recommendation", "email_triggers"))
        rows = published.execute(query, values)
        names = [column[0] for column in rows.description]
        return source, [dict(zip(names, row, strict=True)) for row in rows.fetchall()]


def _finish_those_sent(settings: Settings) -> None:
    """Record that a batch left which a backup held unfinished, where one of it was read back."""
    unfinished = outbox.unfinished(settings.state_directory)
    if not unfinished:
        return
    _, rows = _found(settings, SENT, {})
    sent = {row["trigger_id"] for row in rows}
    for batch in unfinished:
        if any(row["trigger_id"] in sent for row in batch.triggers()):
            _append(settings.state_directory, _finished(batch, None))


def _record(settings: Settings, number: int, version: str, text: str) -> Batch:
    """Record the batch: from here on its triggers are in no other one."""
    state = settings.state_directory
    name, digest = outbox.write(state, number, text)
    at = settings.now()
    _append(
        state,
        {
            "kind": outbox.KIND,
            "id": f"{outbox.KIND}:{number}",
            "number": number,
            "file": name,
            "sha256": digest,
            "rows": len(text.splitlines()),
            "version": version,
            "at": utc_text(at),
            "recorded_at": utc_text(datetime.now(UTC)),
            "by": who(),
        },
    )
    return Batch(number, state / outbox.FOLDER / name, digest, version, at)


def _finished(batch: Batch, to: Path | None) -> dict[str, Any]:
    return {
        "kind": outbox.FILE,
        "id": f"{outbox.FILE}:{batch.number}",
        "batch": batch.number,
        "file": None if to is None else str(to),
        "sha256": batch.sha256,
        "recorded_at": utc_text(datetime.now(UTC)),
        "by": who(),
    }


def _append(state: Path, record: dict[str, Any]) -> None:
    with segments.exclusive(state):
        segments.append(state, [record])


def _last(known: Sequence[Batch]) -> tuple[int | None, int]:
    """Return the number of the latest batch and how many triggers are in it."""
    return (known[-1].number, len(known[-1].triggers())) if known else (None, 0)


def _numbered(known: Sequence[Batch], number: int) -> Batch:
    if not 1 <= number <= len(known):
        raise ConfigError(
            f"there is no batch {number} of triggers; "
            + (f"there are 1 to {len(known)}" if known else "there are none yet")
        )
    return known[number - 1]


def _require_confirmed(settings: Settings) -> None:
    """Raise ConfigError after a restore: what left since the backup would be sent again."""
    if backup := restore.unconfirmed(settings, restore.UNCONFIRMED_TRIGGERS):
        raise ConfigError(
            f"backup {backup} was restored: e-mails handed out after it was taken are not known"
            " here and would be sent again. Run `warehouse run` once the e-mail tool's sends are in"
            " the shop's trigger_sends, then export with --after-restore"
        )


def _require_free(to: Path, text: str) -> None:
    """Raise ConfigError where a file would be lost, before anything is recorded."""
    if to.is_dir():
        raise ConfigError(f"{to}: is a folder; name a file in it")
    if to.exists() and to.read_bytes() != text.encode():
        raise ConfigError(f"{to}: exists and holds something else; name another file")
