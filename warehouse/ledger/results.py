"""Import what the payment provider says became of payments: posted once, however often it comes."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from extractors.errors import ConfigError
from extractors.package import utc_text
from warehouse.config import Settings
from warehouse.ledger import columns, payments, posting, provider_file, statements, writing
from warehouse.ledger.closing import PAYABLE
from warehouse.ledger.decisions import NONE
from warehouse.ledger.payments import Outcome, Payment
from warehouse.ledger.payout_calendar import first_of_next
from warehouse.ledger.provider_file import Told
from warehouse.publish import publication
from warehouse.state import segments
from warehouse.who import who

PAID = "affiliate_paid"
# A provider far in the west has another day at the same time.
CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Event:
    """Something new about a payment: `payment` as it is after it, and the type of its entries.

    `entry_type` is None where nothing moves: a payment that failed never left.
    """

    payment: Payment
    told: Told
    entry_type: str | None


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows a file had, and what was new in them."""

    file: Path
    rows: int
    paid: int
    failed: int
    bounced: int

    @property
    def known(self) -> int:
        return self.rows - self.paid - self.failed - self.bounced


def import_file(settings: Settings, file: Path, wait: float = 0.0) -> Imported:
    """Record what a provider's file tells, and post the money that moved, in one step of state.

    ConfigError names file, row and field of the first thing that cannot be, and nothing is recorded
    or posted. Importing a file again, or an older one, changes nothing.
    """
    zone = ZoneInfo(settings.warehouse.reporting_time_zone)
    rows = provider_file.read(file, zone)
    state = settings.state_directory
    run_id = f"payouts import {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
    with writing.held(settings, wait):
        found = events(rows, payments.payments(state), settings.now(), file, zone)
        if found:
            last = statements.closed_through(state)
            as_of = publication.newest_as_of(settings)
            now = datetime.now(UTC)
            moved = [
                entry
                for event in found
                for entry in entries(event, period_of(event.told.at, last, zone))
            ]
            posted = {"posted_at": settings.now(), "as_of": as_of, "run_id": run_id}
            table = columns.table([entry | posted for entry in moved], columns.ENTRIES)
            ledger = posting.write(state, table, run_id)
            with segments.exclusive(state):
                segments.append(state, [*(_record(one, file, now) for one in found), *ledger])
    ended = [event.payment.outcome for event in found]
    return Imported(file, len(rows), *(ended.count(one) for one in ("paid", "failed", "bounced")))


def events(
    rows: Iterable[Told], known: Mapping[str, Payment], now: datetime, file: Path, zone: ZoneInfo
) -> list[Event]:
    """Return what is new in the rows of a file, in the order in which it happened.

    ConfigError for a payment that was never exported, another amount or currency, a time that is
    yet to come or more than a day before the export (in `zone`), or one that would be paid twice.
    """
    current = dict(known)
    found: list[Event] = []
    for told in sorted(rows, key=lambda one: (one.at, one.status == "failed", one.row)):
        payment = current.get(told.payout_id)
        if payment is None:
            raise _refused(file, told, "payout_id", f"{told.payout_id!r} is in no payout batch")
        if told.amount != payment.amount:
            raise _refused(file, told, "amount", f"is {told.amount}, {payment.amount} was exported")
        if told.currency != payment.currency:
            raise _refused(
                file, told, "currency", f"is {told.currency}, {payment.currency} was exported"
            )
        if told.at > now:
            raise _refused(file, told, "paid_at", f"{utc_text(told.at)} is yet to come")
        exported_on = payment.exported_at.astimezone(zone).date()
        if told.at.astimezone(zone).date() < exported_on - CLOCKS_DIFFER:
            problem = f"{utc_text(told.at)} is before the payment was exported, on {exported_on}"
            raise _refused(file, told, "paid_at", problem)
        step = _step(payment, told)
        if step is None:
            continue
        outcome, entry_type = step
        if outcome == "paid" and payment.outcome != "open":
            _require_not_paid_otherwise(file, told, payment, current.values())
        results = (*payment.results, (told.status, told.at))
        after = replace(payment, outcome=outcome, at=told.at, results=results)
        current[payment.payout_id] = after
        found.append(Event(after, told, entry_type))
    return found


def _step(payment: Payment, told: Told) -> tuple[Outcome, str | None] | None:
    """Return how a payment stands after what is told, and the entries' type; None for old news."""
    if (told.status, told.at) in payment.results:
        return None
    if payment.outcome == "open":
        return ("paid", "payout") if told.status == "paid" else ("failed", None)
    is_news = payment.at is None or told.at > payment.at
    if payment.outcome == "paid":
        # a bank that tells days only may take it back on the same one
        came_back = told.status == "failed" and (is_news or told.at == payment.at)
        return ("bounced", "payout_reversal") if came_back else None
    return ("paid", "payout") if told.status == "paid" and is_news else None


def _require_not_paid_otherwise(
    file: Path, told: Told, payment: Payment, current: Iterable[Payment]
) -> None:
    """Raise ConfigError where another payment settles the same statements by now."""
    settled = payments.covered(one for one in current if one.payout_id != payment.payout_id)
    for number in payment.covers:
        if other := settled.get(number):
            raise _refused(
                file,
                told,
                "status",
                f"is paid after it had {payment.outcome}, and {other.payout_id} of batch"
                f" {other.batch} pays {number} since: it would be paid twice. Stop that payment at"
                " the provider and import its failure first, or adjust the balance by `warehouse"
                " decide adjust`",
            )


def entries(event: Event, period: date) -> list[dict[str, Any]]:
    """Return the entries that a payment's money makes: what is payable becomes paid, or back."""
    if event.entry_type is None:
        return []
    payment = event.payment
    before = [status for status, _ in payment.results[:-1]]
    n = before.count(event.told.status) + 1
    cause = (payment.affiliate_id, NONE, event.entry_type, payment.payout_id, n)
    sign = 1 if event.entry_type == "payout" else -1
    return [
        {
            "entry_id": _hash(*cause, account),
            "transaction_id": _hash(*cause),
            "account": account,
            "affiliate_id": payment.affiliate_id,
            "order_line_id": NONE,
            "entry_type": event.entry_type,
            "amount": amount,
            "currency": payment.currency,
            "effective_at": event.told.at,
            "period": period,
            "cause_type": "statement",
            "cause_id": payment.payout_id,
        }
        for account, amount in ((PAYABLE, sign * payment.amount), (PAID, -sign * payment.amount))
    ]


def period_of(at: datetime, closed_through: date | None, zone: ZoneInfo) -> date:
    """Return the month that something counts in: its own, or the first that is still open."""
    own = at.astimezone(zone).date().replace(day=1)
    return max(own, first_of_next(closed_through)) if closed_through else own


def _hash(*parts: str | int) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _record(event: Event, file: Path, now: datetime) -> dict[str, Any]:
    payment, told = event.payment, event.told
    return {
        "kind": payments.RESULT,
        "id": f"{payment.payout_id}:{told.status}:{utc_text(told.at)}",
        "payout_id": payment.payout_id,
        "status": told.status,
        "outcome": payment.outcome,
        "at": utc_text(told.at),
        "file": file.name,
        "row": told.row,
        "by": who(),
        "recorded_at": utc_text(now),
    }


def _refused(file: Path, told: Told, field: str, problem: str) -> ConfigError:
    return provider_file.refused(file, told.row, field, problem)
