"""Export what can be paid as a batch: recorded in state first, then written as a file."""

import csv
import io
import secrets
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from extractors.errors import ConfigError
from extractors.package import utc_text, write_atomically
from warehouse.backup import restore
from warehouse.config import Settings
from warehouse.ledger import decisions, facts, payments, posted, statements, writing
from warehouse.ledger.claims import PAYOUTS, Claim, claims
from warehouse.ledger.closing import PAYABLE
from warehouse.ledger.currencies import smallest
from warehouse.ledger.payments import Payment
from warehouse.ledger.posted import BALANCE
from warehouse.state import segments
from warehouse.who import who

COLUMNS = ("payout_id", "affiliate_id", "amount", "currency", "statement_number")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `is_new` is false for a batch that was recorded before.

    `batch` is None, and no file was written, where nothing can be paid.
    """

    batch: int | None
    is_new: bool
    payments: Sequence[Payment]
    file: Path | None


def export(
    settings: Settings,
    to: Path,
    *,
    batch: int | None = None,
    after_restore: bool = False,
    wait: float = 0.0,
) -> Exported:
    """Record what can be paid now as a batch, and write its file; ConfigError changes nothing.

    A batch whose file was not finished comes first, with the ids that it has: killed in between,
    the same command goes on. `batch` writes the file of an earlier one again. `after_restore`
    confirms that payments which a restored backup does not know of are accounted for.
    """
    state = settings.state_directory
    with writing.held(settings, wait):
        unfinished = payments.without_file(state)
        if batch is None and not after_restore:
            _require_confirmed(settings)
        if batch is not None:
            record = _numbered(state, batch)
        else:
            record = unfinished[0] if unfinished else None
        if after_restore and restore.unconfirmed(settings):
            _append(state, _series())
        is_new = record is None
        if record is None:
            record = _record(settings)
            if not record["payments"]:
                return Exported(None, False, (), None)
        text = _csv(payments.of_batch(record))
        _require_free(to, text)
        if is_new:
            _append(state, record)
        try:
            write_atomically(to, text)
        except OSError as error:
            raise ConfigError(
                f"{to}: {error.strerror}; batch {record['number']} is recorded: name another file"
                " and run the command again"
            ) from None
        if record in unfinished or is_new:
            _append(state, _written(record["number"], to, text))
        if after_restore:
            restore.confirm(settings)
    return Exported(record["number"], is_new, payments.of_batch(record), to)


def payable_now(settings: Settings) -> list[Claim]:
    """Return what can be paid now, from what is posted, whatever version is shown."""
    state = settings.state_directory
    taken = decisions.undone(
        decisions.decided(state), posted.entries(state, order_line_id=decisions.NONE)
    )
    return claims(
        statements.closed(state),
        posted.balances(posted.table(state, account=PAYABLE, only=BALANCE)),
        posted.entries(state, account=PAYABLE, entry_type=PAYOUTS),
        list(payments.payments(state).values()),
        {account: min(amount, Decimal(0)) for account, amount in taken.items()},
        facts.newest(settings).terms,
        today(settings),
    )


def today(settings: Settings) -> date:
    """Return the day by the warehouse's clock in the reporting time zone."""
    zone = zoneinfo.ZoneInfo(settings.warehouse.reporting_time_zone)
    return settings.now().astimezone(zone).date()


def _series() -> dict[str, Any]:
    """Return the record that begins a new series of ids: a restore forgot which it gave out."""
    series = secrets.token_hex(3)
    return {
        "kind": payments.SERIES,
        "id": f"{payments.SERIES}:{series}",
        "series": series,
        "recorded_at": utc_text(datetime.now(UTC)),
        "by": who(),
    }


def _record(settings: Settings) -> dict[str, Any]:
    state = settings.state_directory
    number = len(payments.batches(state)) + 1
    series = next(segments.newest_first(state, payments.SERIES), None)
    prefix = f"P-{series['series']}" if series else "P"
    return {
        "kind": payments.BATCH,
        "id": f"{payments.BATCH}:{number}",
        "number": number,
        "at": utc_text(settings.now()),
        "recorded_at": utc_text(datetime.now(UTC)),
        "by": who(),
        "payments": [
            {
                "payout_id": f"{prefix}-{number:04d}-{place:04d}",
                "affiliate_id": claim.affiliate_id,
                "currency": claim.currency,
                "amount": f"{claim.amount:f}",
                "statement_number": claim.statement_number,
                "covers": list(claim.covers),
            }
            for place, claim in enumerate(payable_now(settings), 1)
        ],
    }


def _written(batch: int, to: Path, text: str) -> dict[str, Any]:
    return {
        "kind": payments.FILE,
        "id": f"{payments.FILE}:{batch}",
        "batch": batch,
        "file": str(to),
        "sha256": sha256(text.encode()).hexdigest(),
        "recorded_at": utc_text(datetime.now(UTC)),
        "by": who(),
    }


def _append(state: Path, record: dict[str, Any]) -> None:
    with segments.exclusive(state):
        segments.append(state, [record])


def _require_confirmed(settings: Settings) -> None:
    """Raise ConfigError after a restore: what was exported since the backup would be paid again."""
    if backup := restore.unconfirmed(settings):
        raise ConfigError(
            f"backup {backup} was restored: payments exported after it was taken are not known here"
            " and would be paid again. Let `warehouse payouts match` compare the provider's newest"
            " file, take off what it tells of unknown payments by `warehouse decide adjust`, then"
            " export with --after-restore"
        )


def _numbered(state: Path, batch: int) -> dict[str, Any]:
    known = payments.batches(state)
    if not 1 <= batch <= len(known):
        raise ConfigError(
            f"there is no payout batch {batch}; "
            + (f"there are 1 to {len(known)}" if known else "there are none yet")
        )
    return known[batch - 1]


def _require_free(to: Path, text: str) -> None:
    """Raise ConfigError where a file would be lost, or cannot be written, before all else."""
    if not to.parent.is_dir():
        raise ConfigError(f"{to}: there is no folder {to.parent}")
    if to.is_dir():
        raise ConfigError(f"{to}: is a folder; name a file in it")
    if to.exists() and to.read_bytes() != text.encode():
        raise ConfigError(f"{to}: exists and holds something else; name another file")


def _csv(rows: Iterable[Payment]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_as_text(value) for value in _values(row)] for row in rows)
    return text.getvalue()


def _values(row: Payment) -> list[str]:
    """Return a payment's columns; a currency without cents has amounts without them."""
    amount = row.amount
    if amount % 1 == 0 and smallest(row.currency) == 1:
        amount = amount.quantize(Decimal(1))
    return [row.payout_id, row.affiliate_id, f"{amount:f}", row.currency, row.statement_number]


def _as_text(value: str) -> str:
    """Return a value with an apostrophe before it where a spreadsheet would compute a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
