"""The weeks that a report is about."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

# Weekdays differ, so only whole weeks compare; four of them even out what one happened to bring.
WEEKS = 4


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the reporting time zone, the first and the last included."""

    first: date
    last: date

    @property
    def before(self) -> "Period":
        """Return the period of equal length that ends where this one begins."""
        length = self.last - self.first + timedelta(days=1)
        return Period(self.first - length, self.first - timedelta(days=1))

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def last_weeks(as_of: datetime, zone: ZoneInfo) -> Period:
    """Return the last four weeks, Monday to Sunday, that were over at `as_of`."""
    today = as_of.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    return Period(monday - timedelta(weeks=WEEKS), monday - timedelta(days=1))
