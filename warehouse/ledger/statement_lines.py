"""Read a closed statement with its lines, and prove that both are what was closed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from extractors.errors import AuditError, ConfigError
from warehouse.config import Settings
from warehouse.ledger import closing, facts, posted, statements
from warehouse.state import chain

SOLD = (
    "SELECT lines.order_line_id, lines.order_id, conversions.base_amount,"
    " conversions.order_currency FROM core.order_lines AS lines"
    " LEFT JOIN affiliate.conversions AS conversions"
    " ON conversions.order_line_id = lines.order_line_id"
    " WHERE lines.order_line_id IN (SELECT unnest(?))"
)
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved a balance after a statement, for an order line that is on it."""

    effective_at: datetime
    entry_type: str
    period: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of a statement; amounts are in its currency, above 0 where the affiliate gains.

    `base_amount` is what the commission is a share of, in `base_currency`; None where the entry is
    of no order line, or the newest version no longer has it.
    """

    entry_id: str
    effective_at: datetime
    entry_type: str
    order_id: str | None
    order_line_id: str
    rate: Decimal | None
    base_amount: Decimal | None
    base_currency: str | None
    amount: Decimal
    cause_type: str
    cause_id: str
    later: Sequence[Movement]

    @property
    def later_amount(self) -> Decimal:
        return sum((one.amount for one in self.later), closing.NOTHING)


@dataclass(frozen=True, slots=True)
class Shown:
    """A statement (a row as `statements.closed` returns it), whose it is, and its lines."""

    statement: Mapping[str, Any]
    affiliate_name: str | None
    lines: Sequence[Line]


def read(settings: Settings, number: str) -> Shown:
    """Return a closed statement with its lines; ConfigError for an unknown number.

    AuditError where the posted entries no longer give its content hash.
    """
    state = settings.state_directory
    known = {row["statement_number"]: row for row in statements.closed(state)}
    row = known.get(number)
    if row is None:
        newest = ", ".join(list(known)[-3:])
        raise ConfigError(
            f"there is no statement {number}; "
            + (f"the newest are {newest}" if known else "no month is closed yet")
        )
    account = (row["affiliate_id"], row["currency"])
    of_account = posted.entries(
        state, account=closing.PAYABLE, affiliate_id=account[0], currency=account[1]
    )
    period = date.fromisoformat(row["period"])
    entries = [entry for entry in of_account if entry["period"] == period]
    if closing.content_hash(row, entries) != row["content_hash"]:
        raise AuditError(
            f"statement {number} is not what was closed: its content hash is"
            f" {closing.content_hash(row, entries)}, {row['content_hash']} was recorded;"
            f" {chain.RESTORE}"
        )
    terms, sold = _facts(settings, [entry["order_line_id"] for entry in entries])
    later = [entry for entry in of_account if entry["period"] > period]
    name = terms[account[0]].name if account[0] in terms else None
    return Shown(row, name, lines(entries, later, sold))


def lines(
    entries: Iterable[Entry],
    later: Iterable[Entry],
    sold: Mapping[str, tuple[str, Decimal | None, str | None]],
) -> list[Line]:
    """Return the lines of a statement in the order of time, each with what moved for it later.

    `sold` has for an order line its order, and the base of its commission with the currency.
    """
    moved: dict[str, list[Movement]] = {}
    for entry in sorted(later, key=_by_time):
        moved.setdefault(entry["order_line_id"], []).append(
            Movement(entry["effective_at"], entry["entry_type"], entry["period"], -entry["amount"])
        )
    moved.pop("(none)", None)
    found: list[Line] = []
    for entry in sorted(entries, key=_by_time):
        line = entry["order_line_id"]
        order_id, base_amount, base_currency = sold.get(line, (None, None, None))
        found.append(
            Line(
                entry["entry_id"],
                entry["effective_at"],
                entry["entry_type"],
                order_id,
                line,
                entry["rate"],
                base_amount,
                base_currency,
                -entry["amount"],
                entry["cause_type"],
                entry["cause_id"],
                moved.get(line, ()),
            )
        )
    return found


def _by_time(entry: Entry) -> tuple[datetime, str]:
    return entry["effective_at"], entry["entry_id"]


def _facts(
    settings: Settings, order_lines: Sequence[str]
) -> tuple[Mapping[str, closing.Terms], dict[str, tuple[str, Decimal | None, str | None]]]:
    with facts.opened(settings) as (_, connection):
        found = connection.execute(SOLD, [list(order_lines)]).fetchall()
    return facts.newest(settings).terms, {row[0]: (row[1], row[2], row[3]) for row in found}
