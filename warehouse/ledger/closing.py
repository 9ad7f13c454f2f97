"""Make the statements of a month from what is posted: a pure function of entries and terms."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from extractors.package import utc_text
from warehouse.ledger.payout_calendar import due_on

PAYABLE = "affiliate_payable"
ACTIVE = "active"
# What moves the balance of affiliate_payable, and the column of the statement that it is in. An
# accrual is posted there only where the line is past its hold already.
MOVEMENTS = {
    "accrual": "matured",
    "maturity": "matured",
    "reversal": "reversals",
    "adjustment": "adjustments",
    "payout": "payouts",
    "payout_reversal": "payouts",
}
NOTHING = Decimal("0.00")
Account = tuple[str, str]  # affiliate, currency
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an affiliate is paid by; `minimum_payout` is in `currency`."""

    affiliate_id: str
    name: str | None
    status: str
    currency: str
    minimum_payout: Decimal
    payout_term: str

    @property
    def is_active(self) -> bool:
        return self.status == ACTIVE

    def least(self, currency: str) -> Decimal:
        """Return the least amount paid out; none holds for a currency they are paid in no more."""
        return self.minimum_payout if currency == self.currency else NOTHING


def unknown(affiliate_id: str, currency: str) -> Terms:
    """Return the terms of an affiliate whom the shop deleted: nothing is paid, all carries on."""
    return Terms(affiliate_id, None, "(unknown)", currency, NOTHING, "net_days 0")


@dataclass(frozen=True, slots=True)
class Statement:
    """What an affiliate was owed in a month, in the currency of the entries; positive is owed.

    opening + matured + reversals + adjustments + payouts = closing = payable + carried_forward.
    `net_sales` is in the reporting currency. `due_date` is the day from which it is paid.
    """

    statement_number: str
    affiliate_id: str
    period: date
    currency: str
    opening: Decimal
    matured: Decimal
    reversals: Decimal
    adjustments: Decimal
    payouts: Decimal
    carried_forward: Decimal
    closing: Decimal
    payable: Decimal
    net_sales: Decimal
    minimum_payout: Decimal
    affiliate_status: str
    due_date: date
    content_hash: str = ""

    def texts(self) -> dict[str, Any]:
        """Return the columns as state keeps them."""
        return {name: _text(getattr(self, name)) for name in self.__slots__}


def statements(
    period: date,
    entries: Iterable[Entry],
    opening: Mapping[Account, Decimal],
    terms: Mapping[str, Terms],
    net_sales: Mapping[str, Decimal],
    touched: Collection[Account] = (),
) -> list[Statement]:
    """Return the statements of a month, in the order of their numbers.

    `entries` are the posted entries of affiliate_payable in that period, `opening` what the month
    before closed with, `touched` the affiliates and currencies with an entry on any account. There
    is one statement for each of these, for each with a balance, and for each affiliate with net
    sales, which tiers of later months go by.
    """
    lines: dict[Account, list[Entry]] = {}
    for entry in entries:
        lines.setdefault((entry["affiliate_id"], entry["currency"]), []).append(entry)
    named = {*lines, *touched, *(account for account, balance in opening.items() if balance)}
    sold = {
        (affiliate, terms[affiliate].currency)
        for affiliate, amount in net_sales.items()
        if amount and affiliate in terms
    }
    return [
        _statement(
            f"S-{period:%Y-%m}-{number:04d}",
            period,
            account,
            sorted(lines.get(account, ()), key=lambda entry: entry["entry_id"]),
            opening.get(account, NOTHING),
            of := terms.get(account[0]) or unknown(*account),
            # once, where an affiliate was paid in another currency before
            net_sales.get(account[0], NOTHING) if account[1] == of.currency else NOTHING,
        )
        for number, account in enumerate(sorted(named | sold), 1)
    ]


def _statement(
    number: str,
    period: date,
    account: Account,
    lines: Sequence[Entry],
    opening: Decimal,
    terms: Terms,
    net_sales: Decimal,
) -> Statement:
    affiliate, currency = account
    moved = dict.fromkeys(MOVEMENTS.values(), NOTHING)
    for line in lines:
        moved[MOVEMENTS[line["entry_type"]]] -= line["amount"]  # a credit is what we owe
    closing = opening + sum(moved.values())
    payable = due_of(closing, terms, currency)
    made = Statement(
        number,
        affiliate,
        period,
        currency,
        opening,
        moved["matured"],
        moved["reversals"],
        moved["adjustments"],
        moved["payouts"],
        closing - payable,
        closing,
        payable,
        net_sales,
        terms.least(currency),
        terms.status,
        due_on(period, terms.payout_term),
    )
    return replace(made, content_hash=content_hash(made.texts(), lines))


def due_of(balance: Decimal, terms: Terms, currency: str) -> Decimal:
    """Return what of a balance is paid out: all of it, or nothing.

    Nothing below the minimum, nothing that is not owed, and nothing to who is not active; that
    carries forward.
    """
    least = max(terms.least(currency), Decimal("0.01"))
    return balance if terms.is_active and balance >= least else NOTHING


_OF_A_LINE = (
    *("entry_id", "transaction_id", "order_line_id", "entry_type", "amount", "currency", "rate"),
    *("fx_rate", "effective_at", "cause_type", "cause_id"),
)


def content_hash(figures: Mapping[str, Any], lines: Iterable[Entry]) -> str:
    """Return the sha256 of a statement's figures and of its lines, whatever their order.

    What is told after its closing (that it was paid) is no part of it.
    """
    rows = [[_text(line[name]) for name in _OF_A_LINE] for line in lines]
    known = {name: _text(value) for name, value in figures.items() if name in _HASHED}
    text = json.dumps([known, sorted(rows)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


_HASHED = frozenset(Statement.__slots__) - {"content_hash"}


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return utc_text(value)
    return value.isoformat() if isinstance(value, date) else value
