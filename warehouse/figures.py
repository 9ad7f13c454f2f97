"""How pages write figures: exact money, counts, shares, days."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from zoneinfo import ZoneInfo

# Sums of DECIMAL(38) have more digits than the default context keeps.
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
NOTHING = "–"


def money(amount: Decimal | None) -> str:
    """Return an amount with two decimals, rounded half away from zero once; a dash for none."""
    return NOTHING if amount is None else f"{_rounded(amount, 2):,f}"


def count(number: int | Decimal | None) -> str:
    """Return a whole number; of a sum of shares the nearest one."""
    return NOTHING if number is None else f"{_rounded(Decimal(number), 0):,f}"


def ratio(over: Decimal | int, under: Decimal | int, places: int = 2) -> str:
    """Return how many times `under` goes into `over`, a dash where it is 0."""
    if not under:
        return NOTHING
    return f"{_rounded(EXACT.divide(Decimal(over), Decimal(under)), places):,f}"


def percent(over: Decimal | int, under: Decimal | int = 1, places: int = 1) -> str:
    """Return a part of a whole in percent, a dash where the whole is 0."""
    if not under:
        return NOTHING
    return f"{_rounded(EXACT.divide(Decimal(over) * 100, Decimal(under)), places):,f} %"


def change(now: Decimal | int, before: Decimal | int) -> str | None:
    """Return by how many percent something changed, None where there was nothing before."""
    if not before:
        return None
    share = EXACT.divide((Decimal(now) - Decimal(before)) * 100, abs(Decimal(before)))
    return f"{_rounded(share, 1):+,f} %"


def day(at: datetime, zone: ZoneInfo) -> str:
    """Return the day of an instant in a time zone."""
    return f"{at.astimezone(zone):%Y-%m-%d}"


def minute(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant to the minute, as clocks of a time zone show it."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def day_and_month(one: date) -> str:
    """Return a day as short as the axis of a plot needs it."""
    return f"{one.day} {one:%b}"


def _rounded(number: Decimal, places: int) -> Decimal:
    rounded = number.quantize(Decimal(1).scaleb(-places), context=EXACT)
    return rounded or abs(rounded)  # no -0.00
