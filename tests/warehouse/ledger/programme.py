"""Drive the functions of the ledger by the facts that are known so far, without dbt."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from tests.warehouse.ledger.histories import FX, HOLD, Fact, at
from warehouse.ledger import claims, closing, columns, due, proposal, results
from warehouse.ledger.payments import Payment
from warehouse.ledger.provider_file import Told

ZONE = ZoneInfo("Europe/London")

CENT = Decimal("0.01")
SALES = pa.decimal128(18, 4)
COMMISSIONS = pa.schema(
    [
        *((name, pa.string()) for name in ("order_line_id", "order_id", "affiliate_id")),
        ("rate", columns.RATE),
        ("fx_rate", columns.RATE),
        ("base_amount", SALES),
        ("reporting_line_amount", SALES),
        ("currency", pa.string()),
        ("commission_amount", columns.MONEY),
        *((name, columns.INSTANT) for name in ("ordered_at", "matures_at", "held_since")),
    ]
)
ALLOCATIONS = pa.schema(
    [("refund_id", pa.string()), ("order_line_id", pa.string()), ("amount", SALES)]
)
REFUNDS = pa.schema([("refund_id", pa.string()), ("refunded_at", columns.INSTANT)])
PAYMENTS = pa.schema(
    [
        *((name, pa.string()) for name in ("payment_id", "order_id", "kind", "status")),
        ("amount", SALES),
        ("paid_at", columns.INSTANT),
    ]
)


def currency_of(affiliate: str) -> str:
    """Return the payout currency of an affiliate."""
    return "EUR" if affiliate.endswith("bob") else "GBP"


@dataclass(slots=True)
class Programme:
    """A ledger in memory: `posted` by runs, closings and payouts."""

    connection: duckdb.DuckDBPyConnection
    closed: date | None = None
    run: int = 0
    batch: int = 0
    statements: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    payments: dict[str, Payment] = field(default_factory=dict[str, Payment])

    def __post_init__(self) -> None:
        self.connection.execute("set timezone = 'UTC'; create schema posted")
        self._table("entries", [], columns.ENTRIES)
        self.connection.execute("create table posted.entries as from entries")

    def learn(self, histories: Sequence[Sequence[Fact]], hour: int) -> None:
        """Run once with what is known of each history by an hour, and post what is proposed."""
        self.run += 1
        known = [one for facts in histories for one in facts]
        rows = [row for facts in histories for row in commissions(facts)]
        self._table("commissions", rows, COMMISSIONS)
        refunds = [one for one in known if one.kind == "refund"]
        self._table(
            "allocations",
            [
                {"refund_id": one["id"], "order_line_id": one["line"], "amount": one["amount"]}
                for one in refunds
            ],
            ALLOCATIONS,
        )
        times = [{"refund_id": one["id"], "refunded_at": at(one.hour)} for one in refunds]
        self._table("refunds", times, REFUNDS)
        self._table("payments", list(payments(known)), PAYMENTS)
        self._table("decisions", list(_decisions(known)), columns.DECISIONS)
        due.write(
            self.connection,
            into="due",
            commissions="commissions",
            allocations="allocations",
            refunds="refunds",
            payments="payments",
            decisions="decisions",
            as_of=at(hour),
        )
        self.propose(hour)
        self.connection.execute("insert into posted.entries from proposal")

    def propose(self, hour: int) -> int:
        """Propose once more, and post nothing: what a replay or a full refresh does."""
        return proposal.propose(
            self.connection,
            into="proposal",
            due="due",
            posted="posted.entries",
            closed_through=self.closed,
            as_of=at(hour),
            posted_at=at(hour),
            zone="Europe/London",
            run_id=f"run {self.run}",
        )

    def close(self, month: date) -> None:
        """Close a month as `close-statements` does, from what is posted."""
        of_last = [row for row in self.statements if row["period"] == str(self.closed)]
        entries = self._entries("period = ?", month)
        made = closing.statements(
            month,
            [one for one in entries if one["account"] == closing.PAYABLE],
            {(row["affiliate_id"], row["currency"]): Decimal(row["closing"]) for row in of_last},
            self._terms(),
            {},
            {(one["affiliate_id"], one["currency"]) for one in entries},
        )
        self.closed = month
        self.statements += [one.texts() for one in made]

    def pay(self, hour: int, bounce: bool) -> None:
        """Pay what can be paid, and let every other payment come back where they bounce.

        What the payment provider tells arrives twice, which changes nothing.
        """
        self.batch += 1
        found = claims.claims(
            self.statements,
            {(one, currency_of(one)): amount for one, amount in self.owed().items()},
            [one for one in self._entries("true") if one["entry_type"] in claims.PAYOUTS],
            list(self.payments.values()),
            {},
            self._terms(),
            at(hour).date(),
        )
        told: list[Told] = []
        for place, claim in enumerate(found, 1):
            name = f"P-{self.batch:04d}-{place:04d}"
            facts = (claim.affiliate_id, claim.currency, claim.amount, claim.statement_number)
            self.payments[name] = Payment(name, self.batch, *facts, claim.covers, at(hour))
            ends = ["paid", "failed"] if bounce and place % 2 else ["paid"]
            told += [
                Told(place, name, status, claim.amount, claim.currency, at(hour + n))
                for n, status in enumerate(ends)
            ]
        posted = {"posted_at": at(hour), "as_of": at(hour), "run_id": "payouts"}
        for _ in range(2):
            news = results.events(told, self.payments, at(hour + 1), Path("results.csv"), ZONE)
            self.payments |= {one.payment.payout_id: one.payment for one in news}
            made = [
                one | posted
                for event in news
                for one in results.entries(
                    event, results.period_of(event.told.at, self.closed, ZONE)
                )
            ]
            self._table("paid", made, columns.ENTRIES)
            self.connection.execute("insert into posted.entries from paid")

    def owed(self) -> dict[str, Decimal]:
        """Return what affiliates are owed by what is posted, without zeros."""
        return dict(
            self.rows(
                "select affiliate_id, -sum(amount) from posted.entries"
                " where account = 'affiliate_payable' group by all having sum(amount) <> 0"
            )
        )

    def paid(self) -> dict[str, Decimal]:
        """Return what arrived at each affiliate, and stayed."""
        sums: dict[str, Decimal] = {}
        for one in self.payments.values():
            if one.outcome == "paid":
                sums[one.affiliate_id] = sums.get(one.affiliate_id, Decimal(0)) + one.amount
        return sums

    def changed_statements(self) -> list[str]:
        """Return the statements whose entries no longer give the hash that they closed with."""
        lines: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for one in self._entries("account = ?", closing.PAYABLE):
            key = (str(one["period"]), one["affiliate_id"], one["currency"])
            lines.setdefault(key, []).append(one)
        return [
            row["statement_number"]
            for row in self.statements
            if closing.content_hash(
                row, lines.get((row["period"], row["affiliate_id"], row["currency"]), [])
            )
            != row["content_hash"]
        ]

    def _terms(self) -> dict[str, closing.Terms]:
        names = [row[0] for row in self.rows("select distinct affiliate_id from posted.entries")]
        return {
            one: closing.Terms(one, one, "active", currency_of(one), Decimal(0), "net_days 0")
            for one in names
        }

    def _entries(self, condition: str, *values: Any) -> list[dict[str, Any]]:
        query = f"select * from posted.entries where {condition}"
        return self.connection.sql(query, params=list(values)).to_arrow_table().to_pylist()

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self.connection.execute(query, list(values)).fetchall()

    def _table(self, name: str, rows: list[dict[str, Any]], schema: columns.Schema) -> None:
        self.connection.register("given", pa.Table.from_pylist(rows, schema=schema))
        self.connection.execute(f"create or replace table {name} as from given")
        self.connection.unregister("given")


def payments(known: Iterable[Fact]) -> Iterator[dict[str, Any]]:
    """Yield the chargebacks as the payment provider tells of them, and those that the shop won."""
    ended = {one["id"]: one for one in known if one.kind in {"lost", "won"}}
    for one in known:
        if one.kind == "opened":
            end = ended.get(one["id"])
            status = "settled" if end else "pending"
            yield _payment(one["id"], one["order"], "chargeback", status, one.hour)
            if end and end.kind == "won":
                yield _payment(f"{one['id']}-won", one["order"], "reversal", "settled", end.hour)


def _payment(name: str, order: str, kind: str, status: str, hour: int) -> dict[str, Any]:
    return {
        "payment_id": name,
        "order_id": order,
        "kind": kind,
        "status": status,
        "paid_at": at(hour),
    }


def _decisions(known: Iterable[Fact]) -> Iterator[dict[str, Any]]:
    for one in known:
        if one.kind == "decide":
            yield {
                "decision_id": one["id"],
                "kind": "adjustment",
                "affiliate_id": one["affiliate"],
                "amount": one["amount"],
                "currency": currency_of(one["affiliate"]),
                "effective_at": at(one.hour),
            }


def commissions(known: Sequence[Fact]) -> list[dict[str, Any]]:
    """Return what `int_affiliate__commissions` would hold: who is the source, and the terms."""
    status: dict[str, Fact] = {}
    into = dict[str, str]()
    for one in sorted(known, key=lambda f: (f.hour, f.kind, f.facts.get("into", ""))):
        if one.kind in {"cancelled", "deleted", "restored"}:
            status[one["order"]] = one
        if one.kind == "merge":
            into[one["gone"]] = one["into"]
    clicks = sorted(
        ((one.hour, one["id"], one) for one in known if one.kind == "click"), reverse=True
    )
    plans = sorted(
        (one for one in known if one.kind == "plan"),
        key=lambda plan: (plan["from"], plan.hour, plan["rate"]),
    )
    held = _held(known)
    rows: list[dict[str, Any]] = []
    for order in (one for one in known if one.kind == "order"):
        state = status.get(order["order"])
        if state and state.kind == "deleted":
            continue
        buyer = _survivor(into, order["customer"])
        source = next(
            (
                click["affiliate"]
                for when, _, click in clicks
                if order.hour - 30 * 24 <= when < order.hour
                and _survivor(into, click["customer"]) == buyer
            ),
            None,
        )
        if source is None:
            continue
        is_cancelled = state is not None and state.kind == "cancelled"
        rate = [p["rate"] for p in plans if p["affiliate"] == source and p["from"] <= order.hour]
        currency = currency_of(source)
        for line, price in order["lines"]:
            days = sum(o["days"] for o in known if o.kind == "extend" and o["line"] == line)
            earned = (price * rate[-1] * FX[currency]).quantize(CENT, ROUND_HALF_UP)
            rows.append(
                {
                    "order_line_id": line,
                    "order_id": order["order"],
                    "affiliate_id": source,
                    "rate": rate[-1],
                    "fx_rate": FX[currency],
                    "base_amount": price,
                    "reporting_line_amount": price,
                    "currency": currency,
                    "commission_amount": Decimal(0) if is_cancelled else earned,
                    "ordered_at": at(order.hour),
                    "matures_at": at(order.hour + HOLD + days * 24),
                    "held_since": held.get(order["order"]),
                }
            )
    return rows


def _survivor(into: dict[str, str], customer: str) -> str:
    while customer in into:  # merged into a smaller name each time: it ends
        customer = into[customer]
    return customer


def _held(known: Iterable[Fact]) -> dict[str, datetime]:
    ended = {one["id"] for one in known if one.kind in {"lost", "won"}}
    return {
        one["order"]: at(one.hour)
        for one in known
        if one.kind == "opened" and one["id"] not in ended
    }
