"""Whatever happens, in whatever order it is learned, the ledger ends at the right balance."""

import os
import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.ledger import reference
from tests.warehouse.ledger.histories import DAYS, HOLD, Fact, arriving, at, history
from tests.warehouse.ledger.programme import Programme

MONTHS = [date(2026, month, 1) for month in range(1, 13)]
EVENTS = 50
GROUP = 50
END = (DAYS + 200) * 24
LINES = (
    "select affiliate_id, order_line_id,"
    " sum(case when account = 'commission_expense' then amount else 0 end),"
    " -sum(case when account = 'affiliate_pending' then amount else 0 end),"
    " -sum(case when account = 'affiliate_payable' then amount else 0 end)"
    " from posted.entries where order_line_id <> '(none)' group by all"
)
BROKEN = (
    "select 'sum', transaction_id from posted.entries group by transaction_id, currency"
    " having sum(amount) <> 0 union all"
    " select 'twice', entry_id from posted.entries group by entry_id having count(*) > 1"
)


def balances(programme: Programme) -> dict[tuple[str, str], reference.Balance]:
    """Return what is posted by affiliate and line, without zeros."""
    found: dict[tuple[str, str], reference.Balance] = {}
    for affiliate, line, expense, pending, payable in programme.rows(LINES):
        assert expense == pending + payable, line
        assert 0 in {pending, payable}, line
        if expense:
            found[affiliate, line] = reference.Balance(expense, is_payable=payable != 0)
    return found


def play(histories: Sequence[Sequence[Fact]], seed: random.Random, runs: int) -> Programme:
    """Run at random hours as facts arrive, close and pay months, and check it after each run.

    Histories share nothing but the hours of the runs: played together they cost less.
    """
    programme = Programme(duckdb.connect())
    months = iter(MONTHS)
    next_month = next(months)
    for hour in [*sorted(seed.sample(range(24, END), runs - 1)), END]:
        known = [[f for f in facts if f.known <= hour and f.hour <= hour] for facts in histories]
        programme.learn(known, hour)
        expected: dict[tuple[str, str], reference.Balance] = {}
        for facts in known:
            expected |= reference.balances(facts, hour)
        assert balances(programme) == expected, hour
        if at(hour - HOLD).date() > next_month + timedelta(days=31) and seed.random() < 0.7:
            programme.close(next_month)
            programme.pay(hour, bounce=seed.random() < 0.5)
            next_month = next(months)
    programme.propose(END)  # a replay, or a full refresh: everything is posted
    assert programme.rows("from proposal") == []
    assert programme.rows(BROKEN) == []
    assert programme.changed_statements() == []
    assert len(programme.statements) == len(
        {one["statement_number"] for one in programme.statements}
    )
    assert decided(programme) == expected_decisions(histories)
    assert programme.owed() == expected_owed(programme, histories)
    return programme


def decided(programme: Programme) -> dict[str, Decimal]:
    """Return what decisions brought each affiliate."""
    return dict(
        programme.rows(
            "select affiliate_id, sum(amount) from posted.entries where order_line_id = '(none)'"
            " and account = 'commission_expense' group by all having sum(amount) <> 0"
        )
    )


def expected_decisions(histories: Sequence[Sequence[Fact]]) -> dict[str, Decimal]:
    """Return the sums of the decisions by affiliate, without zeros."""
    sums: dict[str, Decimal] = {}
    for one in (one for facts in histories for one in facts if one.kind == "decide"):
        sums[one["affiliate"]] = sums.get(one["affiliate"], Decimal(0)) + one["amount"]
    return {affiliate: amount for affiliate, amount in sums.items() if amount}


def expected_owed(programme: Programme, histories: Sequence[Sequence[Fact]]) -> dict[str, Decimal]:
    """Return what is payable in the end and was decided, less what was paid, without zeros."""
    owed = expected_decisions(histories)
    for facts in histories:
        for (affiliate, _), balance in reference.balances(facts, END).items():
            if balance.is_payable:
                owed[affiliate] = owed.get(affiliate, Decimal(0)) + balance.amount
    for affiliate, amount in programme.paid().items():
        owed[affiliate] = owed.get(affiliate, Decimal(0)) - amount
    return {affiliate: amount for affiliate, amount in owed.items() if amount}


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), events=st.integers(1, 2 * EVENTS), runs=st.integers(1, 8))
def test_any_history_ends_at_the_balance_of_its_facts(seed: int, events: int, runs: int) -> None:
    """One history at a time, so that a failure is told by the least that shows it."""
    draw = random.Random(seed)
    play([history(draw, "h", events)], draw, runs)


def test_hundreds_of_histories_end_at_the_balance_of_their_facts() -> None:
    played(int(os.environ.get("LEDGER_HISTORIES", "500")), seed=1)


@pytest.mark.soak
def test_thousands_of_histories_end_at_the_balance_of_their_facts() -> None:
    played(2000, seed=int(os.environ.get("SOAK_SEED", "2")))


def played(count: int, seed: int) -> None:
    """Play histories of 50 events in groups; of each also the same facts in another order."""
    draw = random.Random(seed)
    outcomes = set[str | None]()
    for group in range(0, count, GROUP):
        made = [history(draw, f"h{group + n}", EVENTS) for n in range(GROUP)]
        first = play(made, draw, runs=8)
        again = [arriving(draw, facts) for facts in made]
        assert balances(play(again, draw, runs=3)) == balances(first)
        outcomes |= {one.outcome for one in first.payments.values()}
    assert outcomes == {"paid", "bounced"}
