"""Tell when a statement is due for payout, by the rows of the payout calendar."""

import calendar
import itertools
import re
from datetime import date, timedelta

from extractors.errors import ConfigError

_TERM = re.compile(r"(net_days|day_of_month|business_day) (\d{1,3})")
SATURDAY = 5


def due_on(period: date, term: str) -> date:
    """Return the day from which a month's statement is paid; `period` is its first day.

    `net_days N` is N days after the last day of the month, `day_of_month N` that day of the
    following month (its last day where it is shorter), `business_day N` the Nth day of the
    following month that is no Saturday or Sunday; public holidays are not known. ConfigError for
    other terms.
    """
    found = _TERM.fullmatch(term)
    number = int(found[2]) if found else -1
    following = first_of_next(period)
    if found and found[1] == "net_days":
        return following + timedelta(days=number - 1)
    if found and found[1] == "day_of_month" and 1 <= number <= 31:
        last = calendar.monthrange(following.year, following.month)[1]
        return following.replace(day=min(number, last))
    if found and found[1] == "business_day" and 1 <= number <= 20:
        days = (following + timedelta(days=passed) for passed in itertools.count())
        weekdays = (day for day in days if day.weekday() < SATURDAY)
        return next(itertools.islice(weekdays, number - 1, None))
    raise ConfigError(
        f"payout term {term!r} is none of `net_days N`, `day_of_month 1` to `31` and"
        " `business_day 1` to `20`; correct rule 29 in dbt_project/seeds/affiliate_rules.csv"
    )


def first_of_next(period: date) -> date:
    """Return the first day of the month after the one that `period` is in."""
    return (period.replace(day=1) + timedelta(days=31)).replace(day=1)


def first_of_previous(period: date) -> date:
    """Return the first day of the month before the one that `period` is in."""
    return (period.replace(day=1) - timedelta(days=1)).replace(day=1)
