"""A warehouse whose ledger is posted by hand, with a published version beside it and a clock."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from extractors.package import utc_text
from warehouse import config
from warehouse.config import Settings
from warehouse.ledger import columns, posting
from warehouse.publish import versions
from warehouse.state import segments

CONFIGURATION = """
warehouse: { home: ./var, clock: ./now.txt, reporting_time_zone: Europe/London }
sources:
  shop: { kind: postgres, dsn: postgresql://a:b@127.0.0.1:1/shop, tables: { o: { key: [a] } } }
"""
# affiliate, name, status, currency, minimum, calendar
TERMS = (
    ("ann", "Ann & Co", "active", "GBP", "25.00", "net_days 0"),
    ("ben", "Ben", "active", "EUR", "25.00", "net_days 0"),
    ("cat", "Cat", "suspended", "GBP", "25.00", "net_days 0"),
)
MARCH, APRIL, MAY = (date(2026, month, 1) for month in (3, 4, 5))
MARTS = """
create schema affiliate;
create schema core;
create table affiliate.payable (
    affiliate_id varchar, name varchar, affiliate_status varchar, currency varchar,
    minimum_payout decimal(18, 2), payout_term varchar,
    payout_currency varchar generated always as (currency));
create table affiliate.statements (
    affiliate_id varchar, period date, status varchar, closable_at timestamptz,
    net_sales decimal(18, 4));
create table affiliate.conversions (
    order_line_id varchar, base_amount decimal(18, 4), order_currency varchar, click_id varchar,
    status varchar, due_amount decimal(18, 2), currency varchar);
create table affiliate.clicks (click_id varchar, affiliate_id varchar);
create table core.order_lines (
    order_line_id varchar, order_id varchar, line_amount decimal(18, 4));
create table core.refund_allocations (
    refund_id varchar, order_line_id varchar, amount decimal(18, 4));
"""


def at(text: str) -> datetime:
    """Return an instant in UTC from its day, or day and time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Office:
    """The warehouse in a folder; `clock`, `publish` and `post` move its world on."""

    directory: Path
    count: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        (self.directory / "warehouse.yml").write_text(CONFIGURATION, encoding="utf-8")
        self.clock("2026-06-01")

    @property
    def settings(self) -> Settings:
        return config.load(self.directory / "warehouse.yml")

    @property
    def state(self) -> Path:
        return self.directory / "var" / "state"

    def clock(self, now: str) -> None:
        (self.directory / "now.txt").write_text(utc_text(at(now)), encoding="utf-8")

    def publish(
        self,
        as_of: str,
        net_sales: Mapping[tuple[str, date], str] | None = None,
        *,
        terms: Any = TERMS,
        months: Mapping[date, str] | None = None,
        sql: str = "",
    ) -> None:
        """Publish a version with the affiliates' terms and open months that close 30 days late."""
        closable = {MARCH: "2026-04-30", APRIL: "2026-05-30", MAY: "2026-07-01"}
        rows = (closable if months is None else months).items()
        known = net_sales or {}
        published = self.directory / "var" / "published"
        published.mkdir(parents=True, exist_ok=True)
        name = f"v{next(self.count):06d}"
        with duckdb.connect(str(versions.version_path(published, name))) as file:
            file.execute("set timezone = 'UTC'")
            file.execute(MARTS)
            file.executemany("insert into affiliate.payable values (?, ?, ?, ?, ?, ?)", terms)
            for affiliate, period, text in ((row[0], *month) for row in terms for month in rows):
                file.execute(
                    "insert into affiliate.statements values (?, ?, 'open', ?, ?)",
                    [affiliate, period, at(text), known.get((affiliate, period), "0")],
                )
            file.execute(sql or "select 1")
        record = {
            "kind": "publication",
            "version": name,
            "as_of": utc_text(at(as_of)),
            "complete_up_to": utc_text(at(as_of)),
        }
        with segments.exclusive(self.state):
            segments.append(self.state, [record])
        versions.switch(published, name)

    def post(self, *entries: Mapping[str, Any]) -> None:
        """Post entries; what they do not say is as `entry` has it."""
        with segments.exclusive(self.state):
            table = columns.table(entries, columns.ENTRIES)
            segments.append(self.state, posting.write(self.state, table, "run 1"))

    def mature(
        self,
        affiliate: str,
        amount: str,
        effective_at: str,
        *,
        line: str = "l1",
        currency: str = "GBP",
        **changes: Any,
    ) -> None:
        """Post a maturity of a line, in the month of its time."""
        self.post(*maturity(affiliate, amount, effective_at, line, currency, **changes))


def maturity(
    affiliate: str,
    amount: str,
    effective_at: str,
    line: str = "l1",
    currency: str = "GBP",
    **changes: Any,
) -> list[dict[str, Any]]:
    """Return the two entries by which an amount moves onto affiliate_payable (or off, below 0)."""
    kind = changes.get("entry_type", "maturity")
    name = f"{affiliate} {line} {kind} {effective_at}"
    other = "affiliate_pending" if kind in {"maturity", "payout"} else "commission_expense"
    moment = at(effective_at)
    of_both = {
        "transaction_id": name,
        "affiliate_id": affiliate,
        "order_line_id": line,
        "entry_type": "maturity",
        "currency": currency,
        "rate": Decimal("0.05000000"),
        "fx_rate": Decimal("1.00000000"),
        "effective_at": moment,
        "posted_at": moment,
        "period": moment.date().replace(day=1),
        "cause_type": "order",
        "cause_id": f"o-{line}",
        "as_of": moment,
        "run_id": "run 1",
        **changes,
    }
    return [
        {
            **of_both,
            "entry_id": f"{name} {account}",
            "account": account,
            "amount": sign * Decimal(amount),
        }
        for account, sign in ((other, 1), ("affiliate_payable", -1))
    ]
