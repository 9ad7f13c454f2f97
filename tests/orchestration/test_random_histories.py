"""Random histories of an affiliate programme, through the whole pipe, against the reference."""

import csv
import random
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from extractors.errors import ConfigError
from extractors.package import utc_text
from tests.orchestration.random_shop import FX, RandomShop
from tests.relational_source import Source, postgres_server, source
from tests.shops import Shop
from tests.warehouse.ledger import reference
from tests.warehouse.ledger.histories import DAYS, Fact, at, history
from warehouse import config
from warehouse.config import Settings
from warehouse.ledger import (
    decisions,
    entries,
    payouts,
    results,
    statement_lines,
    statements,
)
from warehouse.ledger.payout_calendar import first_of_next

__all__ = ["postgres_server", "source"]

pytestmark = pytest.mark.drill

EVENTS = 50
# All is known by then, and all holds are over.
END = (DAYS + 120) * 24
LINES = (
    "select affiliate_id, order_line_id,"
    " sum(case when account = 'commission_expense' then amount else 0 end),"
    " -sum(case when account = 'affiliate_pending' then amount else 0 end),"
    " -sum(case when account = 'affiliate_payable' then amount else 0 end)"
    " from affiliate.commission_ledger where order_line_id <> '(none)' group by all"
)
OWED = (
    "select affiliate_id, -sum(amount) from affiliate.commission_ledger"
    " where account = 'affiliate_payable' group by all having sum(amount) <> 0"
)


@dataclass
class Office:
    """Who closes months, pays, and decides; and what came of it, noted independently."""

    pipe: RandomShop
    seed: random.Random
    month: date = date(2026, 1, 1)
    paid: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    decided: dict[str, Fact] = field(default_factory=dict[str, Fact])
    extended: list[Fact] = field(default_factory=list[Fact])
    hashes: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def settings(self) -> Settings:
        return config.load(self.pipe.shop.directory / "warehouse.yml")

    def known(self, hour: int) -> list[Fact]:
        """Return what is known by an hour; of the extended holds those that could be."""
        facts = [fact for known in self.pipe.known(hour) for fact in known]
        return [one for one in facts if one.kind != "extend"] + self.extended

    def decide(self, hour: int) -> None:
        """Let people decide what histories say, as far as the command lets them."""
        for fact in (fact for known in self.pipe.known(hour) for fact in known):
            if fact.kind == "decide" and fact["amount"] and fact["id"] not in self.decided:
                decisions.adjust(self.settings, fact["affiliate"], fact["amount"], fact["id"], 0)
                self.decided[fact["id"]] = fact
            if fact.kind == "extend" and fact not in self.extended:
                with suppress(ConfigError):  # the hold is over, or was extended before
                    decisions.extend(self.settings, fact["line"], fact["days"], "returned", 0)
                    self.extended.append(fact)

    def close(self) -> None:
        """Close what can be closed, and note what the statements are."""
        with suppress(ConfigError):  # the hold of the next month is not over
            while True:
                closed = statements.close(self.settings, self.month)
                self.hashes |= {
                    row["statement_number"]: row["content_hash"] for row in closed.statements
                }
                self.month = first_of_next(self.month)

    def pay(self, hour: int) -> None:
        """Pay what is due; of three payments one fails and one comes back."""
        file = self.pipe.shop.directory / f"pay-{hour}.csv"
        payouts.export(self.settings, file)
        if not file.exists():
            return
        with file.open(encoding="utf-8") as lines:
            told = list(_results(csv.DictReader(lines), hour, self.seed))
        for row in told:
            sign = {"paid": 1, "failed": -1 if row["is_back"] else 0}[row["status"]]
            amount = sign * Decimal(row["amount"])
            affiliate = row["affiliate_id"]
            self.paid[affiliate] = self.paid.get(affiliate, Decimal(0)) + amount
        results_file = file.with_name(f"results-{hour}.csv")
        with results_file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, [*told[0]])
            writer.writeheader()
            writer.writerows(told)
        results.import_file(self.settings, results_file)

    def expected_owed(self, hour: int) -> dict[str, Decimal]:
        """Return what each affiliate is owed: what is payable, decided and not paid."""
        owed = {one: -amount for one, amount in self.paid.items()}
        for (affiliate, _), balance in reference.balances(self.known(hour), hour, FX).items():
            if balance.is_payable:
                owed[affiliate] = owed.get(affiliate, Decimal(0)) + balance.amount
        for one in self.decided.values():
            owed[one["affiliate"]] = owed.get(one["affiliate"], Decimal(0)) + one["amount"]
        return {affiliate: amount for affiliate, amount in owed.items() if amount}


def _results(
    rows: Iterable[dict[str, str]], hour: int, seed: random.Random
) -> Iterator[dict[str, Any]]:
    for row in rows:
        outcome = seed.choice(("paid", "paid", "failed", "back"))
        told = {**row, "paid_at": utc_text(at(hour)), "is_back": False}
        if outcome != "failed":
            yield {**told, "status": "paid"}
        if outcome != "paid":
            yield {**told, "status": "failed", "is_back": outcome == "back"}


def lines(shop: Shop) -> dict[tuple[str, str], reference.Balance]:
    """Return what the published ledger has by affiliate and line, without zeros."""
    found: dict[tuple[str, str], reference.Balance] = {}
    for affiliate, line, expense, pending, payable in shop.query(LINES):
        assert expense == pending + payable, line
        assert 0 in {pending, payable}, line
        if expense:
            found[affiliate, line] = reference.Balance(expense, is_payable=payable != 0)
    return found


def owed(shop: Shop) -> dict[str, Decimal]:
    """Return the balance of affiliate_payable by affiliate in the published ledger."""
    return dict(shop.query(OWED))


def play(directory: Path, source: Source, seed: int, count: int, runs: int) -> Office:
    """Let histories happen to one shop; after each run compare every balance, close and pay."""
    draw = random.Random(seed)
    histories = [history(draw, f"h{number}", EVENTS) for number in range(count)]
    office = Office(RandomShop(directory, source, histories), draw)
    for hour in [*sorted(draw.sample(range(30 * 24, DAYS * 24), runs - 1)), END]:
        office.pipe.run(hour)
        expected = reference.balances(office.known(hour), hour, FX)
        assert lines(office.pipe.shop) == expected, hour
        assert owed(office.pipe.shop) == office.expected_owed(hour), hour
        assert expected, hour
        office.decide(hour)
        office.close()
        office.pay(hour)
    return office


def test_five_histories_end_at_the_balance_of_their_facts_and_closed_months_stay(
    source: Source, tmp_path: Path
) -> None:
    """Through the whole pipe, with late facts, a full refresh and a restore after the closings."""
    office = play(tmp_path, source, seed=5, count=5, runs=3)
    shop, settings = office.pipe.shop, office.settings
    # months were closed and paid while facts about them were still to come
    assert len({number[:9] for number in office.hashes}) >= 4
    assert sum(office.paid.values()) > 100
    assert len(office.decided) > 5
    # a full refresh: all is read and built anew, and posts what was decided since
    settings.build_database.unlink()
    shop.command("run")
    assert lines(shop) == reference.balances(office.known(END), END, FX)
    assert owed(shop) == office.expected_owed(END)
    assert proved(settings) == office.hashes
    posted = entries.postings(settings.state_directory)
    payable = payouts.payable_now(settings)
    shop.command("backup", str(tmp_path / "backups"))
    (tmp_path / "var").rename(tmp_path / "lost")
    shop.command("restore", str(tmp_path / "backups"))
    shop.command("run")
    assert entries.postings(settings.state_directory) == posted
    assert entries.verify(settings.state_directory) == len(posted)
    assert proved(settings) == office.hashes
    assert payouts.payable_now(settings) == payable
    assert owed(shop) == office.expected_owed(END)


def proved(settings: Settings) -> dict[str, str]:
    """Return the content hash of each closed statement, computed anew from what is posted."""
    closed = statements.closed(settings.state_directory)
    return {
        row["statement_number"]: statement_lines.read(settings, row["statement_number"]).statement[
            "content_hash"
        ]
        for row in closed
    }
