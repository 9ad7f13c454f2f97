"""Work out what each affiliate can be paid now: a pure function of statements and payments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from warehouse.ledger.closing import NOTHING, Account, Terms, due_of
from warehouse.ledger.payments import Payment, covered

PAYOUTS = ("payout", "payout_reversal")


@dataclass(frozen=True, slots=True)
class Claim:
    """An amount that can be paid now, and the statements that it settles, oldest first."""

    affiliate_id: str
    currency: str
    amount: Decimal
    statement_number: str
    covers: tuple[str, ...]


def claims(
    statements: Iterable[Mapping[str, Any]],
    owed: Mapping[Account, Decimal],
    payouts: Iterable[Mapping[str, Any]],
    known: Sequence[Payment],
    undone: Mapping[Account, Decimal],
    terms: Mapping[str, Terms],
    today: date,
) -> list[Claim]:
    """Return what can be paid now by the closed statements that are due, by affiliate.

    `statements` are rows as `statements.closed` returns them, `owed` the posted balances of
    affiliate_payable, `payouts` its entries of the types PAYOUTS, `undone` what people decided to
    take away and no run has posted yet (below 0). Every statement's closing holds what earlier ones
    left unpaid, so the newest that is due says the amount: less what was paid since and what is
    under way, plus what came back, and never more than is owed now: a refund since is not paid
    first and reclaimed later.
    """
    due: dict[Account, list[Mapping[str, Any]]] = {}
    for row in statements:
        if date.fromisoformat(row["due_date"]) <= today:
            due.setdefault((row["affiliate_id"], row["currency"]), []).append(row)
    moved: dict[Account, list[Mapping[str, Any]]] = {}
    for entry in payouts:
        moved.setdefault((entry["affiliate_id"], entry["currency"]), []).append(entry)
    settled = covered(known)
    under_way: dict[Account, Decimal] = {}
    for one in known:
        if one.outcome == "open":
            account = (one.affiliate_id, one.currency)
            under_way[account] = under_way.get(account, NOTHING) + one.amount
    found: list[Claim] = []
    for account, rows in sorted(due.items()):
        ordered = sorted(rows, key=lambda row: row["period"])
        newest = ordered[-1]
        unpaid = [
            row["statement_number"]
            for row in ordered
            if Decimal(row["payable"]) > 0 and row["statement_number"] not in settled
        ]
        since = date.fromisoformat(newest["period"])
        paid = sum((e["amount"] for e in moved.get(account, ()) if e["period"] > since), NOTHING)
        stated = Decimal(newest["payable"]) - paid
        left = owed.get(account, NOTHING) + undone.get(account, NOTHING)
        free = min(stated, left) - under_way.get(account, NOTHING)
        of = terms.get(account[0])
        if unpaid and of and (amount := due_of(free, of, account[1])):
            found.append(Claim(*account, amount, unpaid[-1], tuple(unpaid)))
    return found
