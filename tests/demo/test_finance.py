"""Exchange rates of business days, affiliates and their plans."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np

from demo.orders import OPENED
from demo.parameters import Parameters
from demo.rows.columns import NEVER, seconds_of
from demo.rows.finance import affiliates, commission_plans, fx_rates
from demo.rows.people import made_people

START = seconds_of(OPENED)
HORIZON = seconds_of(OPENED + timedelta(days=365))


def test_rates_begin_before_the_shop_and_come_on_business_days() -> None:
    rows = fx_rates(1, START, HORIZON).to_pylist()

    days = sorted({row["rate_date"] for row in rows})
    assert days[0] == date(2025, 12, 22)
    assert {day.isoweekday() for day in days} == {1, 2, 3, 4, 5}
    assert Counter(row["currency"] for row in rows) == {"EUR": len(days), "USD": len(days)}
    assert all(
        row["published_at"]
        == datetime.combine(row["rate_date"], datetime.min.time(), UTC) + timedelta(hours=16)
        for row in rows
    )


def test_rates_move_slowly_and_few_are_corrected_the_next_day() -> None:
    rows = fx_rates(1, START, HORIZON).to_pylist()

    euro = np.array([float(row["rate"]) for row in rows if row["currency"] == "EUR"])
    assert np.abs(np.diff(euro) / euro[:-1]).max() < 0.004
    assert 0.7 < euro.min() < euro.max() < 1.0
    wrong = [row for row in rows if row["typed_rate"] != row["rate"]]
    assert 0.005 < len(wrong) / len(rows) < 0.045
    assert all(row["corrected_at"] - row["published_at"] == timedelta(days=1) for row in wrong)


def test_affiliates_accounts_stay_as_they_are_and_are_older_than_the_partnership() -> None:
    people = made_people(1, 1, START, HORIZON, Parameters())
    known = affiliates(people, 1, 1, START)

    place = {user: index for index, user in enumerate(people.ids)}
    own = [(place[user], at) for user, at in zip(known.users, known.joined, strict=True) if user]
    assert len(known.ids) == 12
    assert len(own) == 3
    for customer, joined in own:
        assert people.merged[customer] == people.closed[customer] == NEVER
        assert people.created[customer] < joined
    assert (known.suspended < NEVER).sum() == (known.closed < NEVER).sum() == 1


def test_plans_keep_to_the_rates_and_the_usual_one_changes_after_60_days() -> None:
    parameters = Parameters()
    people = made_people(1, 1, START, HORIZON, parameters)
    rows = commission_plans(affiliates(people, 1, 1, START), START, parameters).to_pylist()

    rates = [float(row["rate"]) for row in rows]
    assert (min(rates), max(rates)) == (0.04, 0.12)
    assert {(row["window_days"], row["hold_days"]) for row in rows} == {(30, 30)}
    change = OPENED + timedelta(days=60)
    usual = [
        (row["plan_id"], row["valid_from"] == change, row["ends_at"])
        for row in rows
        if row["affiliate_id"] is None and row["category"] is None and row["tier"] == 1
    ]
    assert usual == [("usual-1", False, change), ("usual-1b", True, None)]


def test_merges_have_no_chains_and_nobody_merges_into_a_closed_account() -> None:
    people = made_people(1, 5, START, HORIZON, Parameters())

    merges = people.merges().to_pylist()
    gone = {row["user_id"] for row in merges}
    closed = {user for user, at in zip(people.ids, people.closed, strict=True) if at < NEVER}
    assert len(merges) > 20
    assert not gone & {row["merged_into"] for row in merges}
    assert not closed & (gone | {row["merged_into"] for row in merges})
