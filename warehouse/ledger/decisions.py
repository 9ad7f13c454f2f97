"""Record and read what people decided about clicks, lines and balances of affiliates."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from extractors.errors import ConfigError
from extractors.package import utc_text
from warehouse.config import Settings
from warehouse.ledger import facts, payments, posted, writing
from warehouse.ledger.closing import NOTHING, PAYABLE, Account, Terms
from warehouse.ledger.currencies import smallest
from warehouse.state import segments
from warehouse.who import who

KIND = "decision"
NONE = "(none)"
PENDING = "affiliate_pending"
Body = dict[str, Any]


def decided(state: Path, known_at: datetime | None = None) -> list[dict[str, Any]]:
    """Return the decisions that were recorded by `known_at` (system time), oldest first."""
    by = utc_text(known_at) if known_at else None
    return [
        {**record, "decision_id": record["id"], "kind": record["decided"]}
        for record in segments.records(state, KIND)
        if by is None or record["recorded_at"] <= by
    ]


def undone(
    known: Iterable[Mapping[str, Any]], entries: Iterable[Mapping[str, Any]]
) -> dict[Account, Decimal]:
    """Return by affiliate and currency what decisions change that no run has posted yet.

    `entries` are the posted ones of no line. Above 0 is for the affiliate.
    """
    done = {entry["cause_id"] for entry in entries if entry["cause_type"] == KIND}
    found: dict[Account, Decimal] = {}
    for one in known:
        if one["amount"] is not None and one["decision_id"] not in done:
            account = (one["affiliate_id"], one["currency"])
            found[account] = found.get(account, NOTHING) + Decimal(one["amount"])
    return found


def click(settings: Settings, click_id: str, kind: str, reason: str, wait: float) -> Body:
    """Decide that a click counts (`click_valid`) or is held (`click_held`), whatever rules say."""
    return _record(settings, reason, wait, lambda: _click(settings, click_id, kind))


def adjust(
    settings: Settings, affiliate_id: str, amount: Decimal, reason: str, wait: float
) -> Body:
    """Add an amount to what an affiliate is owed, or take it away where it is below 0.

    ConfigError where the same was decided before for the same reason: it would be paid twice.
    """
    return _record(
        settings,
        reason,
        wait,
        lambda: _adjustment(settings, affiliate_id, amount, reason),
    )


def forfeit(settings: Settings, affiliate_id: str, reason: str, wait: float) -> Body:
    """Take away all that is payable to an affiliate and not under way in a payout batch."""

    def body() -> Body:
        terms = _terms(settings, affiliate_id)
        balance = _payable(settings, terms)
        if balance <= 0:
            raise ConfigError(f"{affiliate_id} is owed nothing ({balance} {terms.currency})")
        return _balance("forfeit", terms, -balance)

    return _record(settings, reason, wait, body)


def write_off(settings: Settings, affiliate_id: str, reason: str, wait: float) -> Body:
    """Let go of what an affiliate owes: a negative balance that nothing will make good."""

    def body() -> Body:
        terms = _terms(settings, affiliate_id)
        balance = _payable(settings, terms)
        if balance >= 0:
            raise ConfigError(f"{affiliate_id} owes nothing ({balance} {terms.currency})")
        return _balance("write_off", terms, -balance)

    return _record(settings, reason, wait, body)


def extend(settings: Settings, order_line_id: str, days: int, reason: str, wait: float) -> Body:
    """Hold what a line earned for some days longer, once, while it is pending."""

    def body() -> Body:
        state = settings.state_directory
        for one in decided(state):
            if one["kind"] == "extend_hold" and one["order_line_id"] == order_line_id:
                raise ConfigError(
                    f"the hold of line {order_line_id} was extended before, by {one['days']} days"
                    f" ({one['decision_id']}, {one['author']}); it can be extended once"
                )
        entries = posted.entries(state, account=PENDING, order_line_id=order_line_id)
        if not entries:
            raise ConfigError(
                f'nothing is posted for order line {order_line_id!r}; `warehouse sql "select'
                " order_line_id, affiliate_id, matures_at from affiliate.conversions where status ="
                " 'pending'\"` lists what is in its hold"
            )
        if not sum(entry["amount"] for entry in entries):
            raise ConfigError(
                f"nothing of line {order_line_id} is pending: its hold is over; `warehouse decide"
                " adjust` takes back what became payable"
            )
        return {
            "decided": "extend_hold",
            "affiliate_id": entries[-1]["affiliate_id"],
            "order_line_id": order_line_id,
            "days": days,
        }

    return _record(settings, reason, wait, body)


def _click(settings: Settings, click_id: str, kind: str) -> Body:
    affiliate_id = facts.affiliate_of_click(settings, click_id)
    return {"decided": kind, "affiliate_id": affiliate_id, "click_id": click_id}


def _adjustment(settings: Settings, affiliate_id: str, amount: Decimal, reason: str) -> Body:
    terms = _terms(settings, affiliate_id)
    if amount % smallest(terms.currency):
        raise ConfigError(
            f"{amount} {terms.currency} cannot be paid: {terms.currency} has no parts; adjust"
            f" {affiliate_id} by whole {terms.currency}"
        )
    made = _balance("adjustment", terms, amount)
    same = made | {"reason": reason.strip()}
    for one in decided(settings.state_directory):
        if all(one[name] == value for name, value in same.items()):
            raise ConfigError(
                f"{one['decision_id']} ({one['author']}, {one['decided_at']}) adjusts"
                f" {affiliate_id} by {one['amount']} {one['currency']} for the same reason, and"
                " amounts add up; if it is owed once more, say in --reason what it is for"
            )
    return made


def _balance(kind: str, terms: Terms, amount: Decimal) -> Body:
    return {
        "decided": kind,
        "affiliate_id": terms.affiliate_id,
        "amount": f"{amount:.2f}",
        "currency": terms.currency,
    }


def _terms(settings: Settings, affiliate_id: str) -> Terms:
    known = facts.newest(settings)
    if affiliate_id not in known.terms:
        raise ConfigError(
            f"version {known.version} knows no affiliate {affiliate_id!r}; `warehouse sql 'select"
            " affiliate_id, name from affiliate.payable'` lists them"
        )
    return known.terms[affiliate_id]


def _payable(settings: Settings, terms: Terms) -> Decimal:
    """Return what is owed to an affiliate after all decisions, but for what is under way."""
    state, account = settings.state_directory, (terms.affiliate_id, terms.currency)
    table = posted.table(state, account=PAYABLE, affiliate_id=terms.affiliate_id)
    balance = posted.balances(table).get(account, NOTHING)
    open_decisions = undone(decided(state), posted.entries(state, order_line_id=NONE))
    under_way = sum(
        (
            one.amount
            for one in payments.payments(state).values()
            if one.outcome == "open" and (one.affiliate_id, one.currency) == account
        ),
        NOTHING,
    )
    return balance + open_decisions.get(account, NOTHING) - under_way


def _record(settings: Settings, reason: str, wait: float, body: Callable[[], Body]) -> Body:
    """Append a decision, and return it as `decided` would; the next run acts on it."""
    if not reason.strip():
        raise ConfigError("--reason is empty: say why, for those who read the decision")
    state = settings.state_directory
    with writing.held(settings, wait):
        number = len(decided(state)) + 1
        now = settings.now()
        record = {
            "kind": KIND,
            "id": f"D-{number:04d}",
            "affiliate_id": NONE,
            "click_id": NONE,
            "order_line_id": NONE,
            "amount": None,
            "currency": None,
            "days": None,
            **body(),
            # the hour, as as_of is: the run of the same hour acts on it
            "effective_at": utc_text(now.replace(minute=0, second=0, microsecond=0)),
            "decided_at": utc_text(now),
            "recorded_at": utc_text(datetime.now(UTC)),
            "author": who(),
            "reason": reason.strip(),
        }
        with segments.exclusive(state):
            segments.append(state, [record])
    return decided(state)[-1]
