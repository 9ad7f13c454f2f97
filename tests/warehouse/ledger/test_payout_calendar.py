"""Rule 29: from which day a month's statement is paid."""

from datetime import date

import pytest

from extractors.errors import ConfigError
from warehouse.ledger.payout_calendar import due_on


@pytest.mark.parametrize(
    ("period", "term", "day"),
    [
        ("2026-03-01", "net_days 0", "2026-03-31"),
        ("2026-03-01", "net_days 15", "2026-04-15"),
        ("2026-12-01", "net_days 60", "2027-03-01"),
        ("2026-03-01", "day_of_month 10", "2026-04-10"),
        ("2026-01-01", "day_of_month 31", "2026-02-28"),
        ("2028-01-01", "day_of_month 30", "2028-02-29"),
        ("2026-12-01", "day_of_month 1", "2027-01-01"),
        # 1 August 2026 is a Saturday
        ("2026-07-01", "business_day 1", "2026-08-03"),
        ("2026-07-01", "business_day 5", "2026-08-07"),
        ("2026-07-01", "business_day 6", "2026-08-10"),
        ("2026-03-01", "business_day 1", "2026-04-01"),
    ],
)
def test_a_statement_is_due_by_its_term(period: str, term: str, day: str) -> None:
    assert due_on(date.fromisoformat(period), term) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "term", ["", "net_days", "net_days -1", "day_of_month 0", "day_of_month 32", "business_day 21"]
)
def test_a_term_that_is_none_is_told(term: str) -> None:
    with pytest.raises(ConfigError, match=r"payout term .* correct rule 29"):
        due_on(date(2026, 3, 1), term)
