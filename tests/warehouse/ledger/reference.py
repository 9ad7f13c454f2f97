"""What a programme's balances are in the end, from scratch: plain loops over the facts.

It knows nothing of entries, causes or runs: of each line it asks who brought the customer, by which
rate, and what is left of the sale.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tests.warehouse.ledger.histories import FX, HOLD, Fact


@dataclass(frozen=True, slots=True)
class Balance:
    """What an affiliate has of a line in the end, and whether that can be paid."""

    amount: Decimal
    is_payable: bool


def balances(
    facts: Iterable[Fact], hour: int, fx: Mapping[str, Decimal] = FX
) -> dict[tuple[str, str], Balance]:
    """Return by affiliate and line what is there at an hour, if all facts are known; no zeros.

    `fx` is from the order's currency to each payout currency.
    """
    facts = list(facts)
    found: dict[tuple[str, str], Balance] = {}
    for order in facts:
        if order.kind != "order" or _is_off(facts, order["order"]):
            continue
        affiliate = _who_brought(facts, order)
        if affiliate is None:
            continue
        rate = _rate(facts, affiliate, order.hour)
        lost, is_disputed = _disputes(facts, order["order"])
        for line, price in order["lines"]:
            left = Fraction(price)
            wait = order.hour + HOLD
            for other in facts:
                if other.kind == "refund" and other["line"] == line:
                    left -= Fraction(other["amount"])
                if other.kind == "extend" and other["line"] == line:
                    wait += 24 * other["days"]
            if lost or left <= 0:
                continue
            euros_or_pounds = fx["EUR" if affiliate.endswith("bob") else "GBP"]
            cents = left * Fraction(rate) * Fraction(euros_or_pounds) * 100
            whole = int(cents) + (1 if cents - int(cents) >= Fraction(1, 2) else 0)
            if whole:
                is_payable = wait <= hour and not is_disputed
                found[affiliate, line] = Balance(Decimal(whole) / 100, is_payable)
    return found


def _is_off(facts: list[Fact], order: str) -> bool:
    """Tell whether the last that was said of an order is that it is cancelled or deleted."""
    said = [
        (one.hour, one.kind)
        for one in facts
        if one.kind in {"cancelled", "deleted", "restored"} and one["order"] == order
    ]
    return bool(said) and max(said)[1] != "restored"


def _who_brought(facts: list[Fact], order: Fact) -> str | None:
    """Return the affiliate of the last click of the same person in the 30 days before an order."""
    person = _same(facts, order["customer"])
    best: tuple[int, str, str] | None = None
    for one in facts:
        if one.kind != "click" or not 0 < order.hour - one.hour <= 30 * 24:
            continue
        if _same(facts, one["customer"]) == person:
            best = max(best or (-1, "", ""), (one.hour, one["id"], one["affiliate"]))
    return best[2] if best else None


def _same(facts: list[Fact], customer: str) -> str:
    """Return the account that a customer's was merged into in the end."""
    merges = sorted((one.hour, one["into"], one["gone"]) for one in facts if one.kind == "merge")
    changed = True
    while changed:
        changed = False
        for _, into, gone in reversed(merges):
            if gone == customer:
                customer, changed = into, True
                break
    return customer


def _rate(facts: list[Fact], affiliate: str, hour: int) -> Decimal:
    """Return the rate of the plan that began last, of several the one agreed on last."""
    return max(
        (one["from"], one.hour, one["rate"])
        for one in facts
        if one.kind == "plan" and one["affiliate"] == affiliate and one["from"] <= hour
    )[2]


def _disputes(facts: list[Fact], order: str) -> tuple[bool, bool]:
    """Tell whether a dispute of an order was lost, and whether one is open."""
    opened, lost, closed = set[str](), set[str](), set[str]()
    for one in facts:
        if one.kind in {"opened", "lost", "won"} and one["order"] == order:
            if one.kind == "opened":
                opened.add(one["id"])
            else:
                closed.add(one["id"])
                lost |= {one["id"]} if one.kind == "lost" else set()
    return bool(lost & opened), bool(opened - closed)
