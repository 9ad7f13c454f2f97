"""Match payments three ways: what we posted, what the provider tells, what the shop refunded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from warehouse.config import Settings
from warehouse.ledger import closing, facts, payments, posted, provider_file
from warehouse.ledger.payments import Payment
from warehouse.ledger.provider_file import Told

# What the shop took back, whatever the ledger says of it.
REFUNDS = (
    "SELECT allocations.refund_id, allocations.order_line_id, allocations.amount, lines.line_amount"
    " FROM core.refund_allocations AS allocations"
    " JOIN core.order_lines AS lines ON lines.order_line_id = allocations.order_line_id"
    " WHERE allocations.amount > 0"
)
EXPENSE = "commission_expense"
READ = (
    *("account", "affiliate_id", "currency", "order_line_id", "amount", "effective_at"),
    *("cause_type", "cause_id"),
)
EXPLAINED = {
    "not_reported": "exported, and not in the file: the provider has not told of it yet",
    "not_imported": "the file tells more than was imported: `warehouse payouts import` it",
    "netted_refunds": "the provider paid less by exactly what refunds took back since the export",
    "below_a_cent": "the refund's share of the commission is less than a cent",
}
UNEXPLAINED = {
    "unknown_payout": "the file has a payment that was never exported",
    "other_amount": "amounts differ, and no refund since the export explains it",
    "other_currency": "currencies differ",
    "posted_otherwise": "the posted entries of the payment are not what was recorded of it",
    "refund_not_reversed": "the shop refunded a line, and nothing of its commission was taken back",
    "reversed_without_refund": "commission was taken back for a refund that the shop does not have",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """What does not agree, with its cause; amounts are None where a side has none.

    `subject` is a payment's id, or a refund's id and the order line.
    """

    subject: str
    affiliate_id: str | None
    cause: str
    ours: Decimal | None
    theirs: Decimal | None
    row: int | None = None

    @property
    def is_explained(self) -> bool:
        return self.cause in EXPLAINED

    @property
    def text(self) -> str:
        return EXPLAINED.get(self.cause) or UNEXPLAINED[self.cause]


@dataclass(frozen=True, slots=True)
class Refund:
    """What the shop took back of an order line: `amount` of `line_amount`."""

    refund_id: str
    order_line_id: str
    amount: Decimal
    line_amount: Decimal


@dataclass(frozen=True, slots=True)
class Matched:
    """How many payments and refunds were compared, and all that does not agree."""

    file: Path
    payments: int
    rows: int
    refunds: int
    differences: Sequence[Difference]

    @property
    def unexplained(self) -> int:
        return sum(not one.is_explained for one in self.differences)


def match(settings: Settings, file: Path) -> Matched:
    """Compare all payments and refunds with the provider's file; nothing is changed by it."""
    state = settings.state_directory
    rows = provider_file.read(file, ZoneInfo(settings.warehouse.reporting_time_zone))
    known = payments.payments(state)
    entries = posted.entries(state, account=(EXPENSE, closing.PAYABLE), only=READ)
    with facts.opened(settings) as (_, connection):
        every = [Refund(*row) for row in connection.execute(REFUNDS).fetchall()]
    earning = {entry["order_line_id"] for entry in entries if entry["account"] == EXPENSE}
    refunds = [one for one in every if one.order_line_id in earning]
    found = [
        *of_payments(known, rows, entries),
        *of_refunds(refunds, entries),
    ]
    return Matched(file, len(known), len(rows), len(refunds), found)


def of_payments(
    known: Mapping[str, Payment], rows: Iterable[Told], entries: Iterable[Mapping[str, Any]]
) -> list[Difference]:
    """Return the differences between payments, posted entries and the provider's rows."""
    posted_entries = list(entries)
    moved = _paid_out(posted_entries)
    taken_back = [
        entry
        for entry in posted_entries
        if entry["account"] == EXPENSE and entry["cause_type"] == "refund"
    ]
    told: dict[str, list[Told]] = {}
    for row in sorted(rows, key=lambda row: (row.at, row.status == "failed")):
        told.setdefault(row.payout_id, []).append(row)
    found: list[Difference] = []
    for payout_id, payment in known.items():
        paid = payment.amount if payment.outcome == "paid" else closing.NOTHING
        if moved.get(payout_id, closing.NOTHING) != paid:
            found.append(_of(payment, "posted_otherwise", paid, moved.get(payout_id)))
        last = told[payout_id][-1] if payout_id in told else None
        if last and (cause := _cause(payment, last, taken_back)):
            found.append(_of(payment, cause, payment.amount, last.amount, last.row))
        elif last is None and payment.outcome == "open":
            found.append(_of(payment, "not_reported", payment.amount, None))
    found += [
        Difference(payout_id, None, "unknown_payout", None, of[-1].amount, of[-1].row)
        for payout_id, of in told.items()
        if payout_id not in known
    ]
    return sorted(found, key=lambda one: (one.subject, one.cause))


def _paid_out(entries: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Return what the posted entries paid out by each payment, less what came back."""
    moved: dict[str, Decimal] = {}
    for entry in entries:
        if entry["account"] == closing.PAYABLE and entry["cause_type"] == "statement":
            before = moved.get(entry["cause_id"], closing.NOTHING)
            moved[entry["cause_id"]] = before + entry["amount"]
    return moved


def _cause(payment: Payment, last: Told, taken_back: Iterable[Mapping[str, Any]]) -> str | None:
    """Return why a payment and the newest row of it differ, None where they agree."""
    if last.currency != payment.currency:
        return "other_currency"
    if last.amount != payment.amount:
        since = sum(
            (
                -entry["amount"]
                for entry in taken_back
                if entry["affiliate_id"] == payment.affiliate_id
                and entry["currency"] == payment.currency
                and entry["effective_at"] > payment.exported_at
            ),
            closing.NOTHING,
        )
        is_netted = since and payment.amount - last.amount == since
        return "netted_refunds" if is_netted else "other_amount"
    if (last.status == "paid") == (payment.outcome == "paid"):
        return "not_imported" if payment.outcome == "open" else None
    is_older = payment.at is not None and last.at < payment.at
    return None if is_older else "not_imported"


def _of(
    payment: Payment, cause: str, ours: Decimal, theirs: Decimal | None, row: int | None = None
) -> Difference:
    return Difference(payment.payout_id, payment.affiliate_id, cause, ours, theirs, row)


def of_refunds(refunds: Iterable[Refund], entries: Iterable[Mapping[str, Any]]) -> list[Difference]:
    """Return the refunds that took back no commission, and what was taken back for none.

    Nothing need be taken back where nothing of the line's commission is left, as after a
    cancellation.
    """
    reversed_: dict[tuple[str, str], Decimal] = {}
    left: dict[str, Decimal] = {}
    earned: dict[str, Decimal] = {}
    whose: dict[str, str] = {}
    for entry in entries:
        if entry["account"] != EXPENSE:
            continue
        line = entry["order_line_id"]
        whose[line] = entry["affiliate_id"]
        left[line] = left.get(line, closing.NOTHING) + entry["amount"]
        if entry["cause_type"] == "order":
            earned[line] = earned.get(line, closing.NOTHING) + entry["amount"]
        if entry["cause_type"] == "refund":
            key = (entry["cause_id"], line)
            reversed_[key] = reversed_.get(key, closing.NOTHING) - entry["amount"]
    found: list[Difference] = []
    known: set[tuple[str, str]] = set()
    for one in refunds:
        line = one.order_line_id
        known.add((one.refund_id, line))
        if (one.refund_id, line) not in reversed_ and left.get(line):
            share = earned.get(line, closing.NOTHING) * one.amount
            cause = (
                "below_a_cent"
                if share < Decimal("0.01") * one.line_amount
                else "refund_not_reversed"
            )
            subject = f"{one.refund_id} of {line}"
            found.append(Difference(subject, whose[line], cause, closing.NOTHING, None))
    found += [
        Difference(f"{refund} of {line}", None, "reversed_without_refund", amount, None)
        for (refund, line), amount in reversed_.items()
        if amount and (refund, line) not in known
    ]
    return sorted(found, key=lambda one: (one.subject, one.cause))
