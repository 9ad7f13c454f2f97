"""Read the closed statements of affiliates, and close a month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from extractors.errors import AuditError, ConfigError
from extractors.package import utc_text
from warehouse.config import Settings
from warehouse.ledger import closing, facts, payments, posted, writing
from warehouse.ledger.payout_calendar import first_of_next, first_of_previous
from warehouse.state import chain, segments
from warehouse.who import who

KIND = "statements"


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed month: its statements as `closed` returns them; `is_new` if closed just now."""

    period: date
    is_new: bool
    statements: Sequence[Mapping[str, Any]]


def closed(state: Path, known_at: datetime | None = None) -> list[dict[str, Any]]:
    """Return the statements that were closed by `known_at` (system time), oldest month first.

    Amounts, days and times are texts. One is `paid` while a payment that settles it has arrived.
    `closed_at` is by the warehouse's clock, as `posted_at` of entries is: the two compare.
    """
    by = utc_text(known_at) if known_at else None
    live = payments.covered(payments.payments(state, known_at).values())
    return [
        {**row, "closed_at": record["closed_at"], **_settled(live.get(row["statement_number"]))}
        for record in segments.records(state, KIND)
        if by is None or record["recorded_at"] <= by
        for row in record["rows"]
    ]


def _settled(payment: payments.Payment | None) -> dict[str, str | None]:
    """Return what a payment that is under way, or has arrived, makes of a statement."""
    if payment is None:
        return {"status": "closed", "paid_at": None, "payout_id": None}
    paid_at = payment.at if payment.outcome == "paid" else None
    return {
        "status": "paid" if paid_at else "closed",
        "paid_at": utc_text(paid_at) if paid_at else None,
        "payout_id": payment.payout_id,
    }


def closed_through(state: Path) -> date | None:
    """Return the newest month that is closed; months close in their order."""
    newest = next(segments.newest_first(state, KIND), None)
    return date.fromisoformat(newest["period"]) if newest else None


def close(settings: Settings, period: date, wait: float = 0.0) -> Closed:
    """Close a month from what is posted, whatever version is shown; once closed it stays.

    Waits up to `wait` seconds for a run to end. ConfigError says what has to come first: another
    month, the end of the month's longest hold, or a run.
    """
    state = settings.state_directory
    with writing.held(settings, wait):
        last = closed_through(state)
        if last is None or period > last:
            rows = [one.texts() for one in _statements(settings, period, last)]
            record = {
                "kind": KIND,
                "id": f"{KIND}:{period:%Y-%m}",
                "period": period.isoformat(),
                "closed_at": utc_text(settings.now()),
                "recorded_at": utc_text(datetime.now(UTC)),
                "by": who(),
                "rows": rows,
            }
            with segments.exclusive(state):
                segments.append(state, [record])
    found = [row for row in closed(state) if row["period"] == period.isoformat()]
    if not found and last is not None and period <= last:
        _require_recorded(state, period)
    return Closed(period, last is None or period > last, found)


def _require_recorded(state: Path, period: date) -> None:
    if not any(r["period"] == period.isoformat() for r in segments.records(state, KIND)):
        raise ConfigError(f"{period:%Y-%m} is before the first month that was closed")


def _statements(settings: Settings, period: date, last: date | None) -> list[closing.Statement]:
    known = facts.newest(settings)
    _require_closable(settings, known, period, last)
    state = settings.state_directory
    opening = _opening(state, last)
    _require_balances(state, period, opening)
    return closing.statements(
        period,
        posted.entries(state, period=period, account=closing.PAYABLE),
        opening,
        known.terms,
        known.net_sales.get(period, {}),
        posted.balances(posted.table(state, period=period, only=posted.BALANCE)),
    )


def _opening(state: Path, last: date | None) -> dict[closing.Account, Decimal]:
    """Return what the last closed month closed with."""
    return {
        (row["affiliate_id"], row["currency"]): Decimal(row["closing"])
        for row in closed(state)
        if last and row["period"] == last.isoformat()
    }


def _require_balances(
    state: Path, period: date, opening: Mapping[closing.Account, Decimal]
) -> None:
    """Raise AuditError where the balance of the entries before a month is not its opening."""
    before = posted.balances(
        posted.table(state, account=closing.PAYABLE, before=period, only=posted.BALANCE)
    )
    wrong = {
        account
        for account in {*before, *opening}
        if before.get(account, 0) != opening.get(account, 0)
    }
    if wrong:
        affiliate, currency = min(wrong)
        raise AuditError(
            f"{state}: the entries of affiliate {affiliate} before {period:%Y-%m} are"
            f" {before.get((affiliate, currency), 0)} {currency}, the statement before it closed"
            f" with {opening.get((affiliate, currency), 0)}; {chain.RESTORE}"
        )


def _require_closable(
    settings: Settings, known: facts.Facts, period: date, last: date | None
) -> None:
    """Raise ConfigError, which says what is to be done first."""
    name = f"{period:%Y-%m}"
    first = first_of_next(last) if last else min(known.closable_at, default=None)
    if first is None:
        raise ConfigError(
            f"{name} cannot be closed: no affiliate has earned anything yet (version"
            f" {known.version}); run `warehouse run` when there are sales"
        )
    if period < first:
        raise ConfigError(f"{name} is before {first:%Y-%m}, the first month with entries")
    if first < period <= max(known.closable_at, default=first):
        raise ConfigError(
            f"{name} cannot be closed before {first:%Y-%m}: months close in their order; run"
            f" `warehouse close-statements --period {first:%Y-%m}` first"
            + (
                f", then the others up to {first_of_previous(period):%Y-%m}"
                * (first_of_next(first) < period)
            )
        )
    closable_at = known.closable_at.get(period)
    if closable_at is None:
        raise ConfigError(
            f"{name} has not begun by {utc_text(known.as_of)}, the as_of of version"
            f" {known.version}; run `warehouse run` when it is over"
        )
    at = utc_text(closable_at)
    if settings.now() < closable_at:
        raise ConfigError(
            f"{name} can be closed from {at}: its end and the longest hold of its plans, in which"
            " what was earned may still be taken back; close it then"
        )
    if known.as_of > settings.now():
        raise ConfigError(
            f"{name} cannot be closed with {known.version}, which is as of {utc_text(known.as_of)}:"
            " a version of a time to come posts nothing; run `warehouse run` first"
        )
    if known.as_of < closable_at:
        raise ConfigError(
            f"{name} can be closed with a version as of {at} or later; the newest,"
            f" {known.version}, is as of {utc_text(known.as_of)}: run `warehouse run` first"
        )
