"""Arrow columns of numbers: instants, exact amounts, ids; and time in whole seconds."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Its functions are made at import time: what reads types sees none of them.
pc: Any = pyarrow.compute

LONDON = ZoneInfo("Europe/London")
DAY = 86_400
# Later than anything: what never happens. Both are far inside what PostgreSQL and Arrow hold.
NEVER = 32_503_680_000  # the year 3000
INSTANT = pa.timestamp("us", "UTC")


def seconds_of(at: datetime) -> int:
    """Return an instant as whole seconds since 1970."""
    return int(at.timestamp())


def midnight(day: date) -> int:
    """Return the day's midnight UTC as seconds."""
    return seconds_of(datetime(day.year, day.month, day.day, tzinfo=UTC))


def london(days: Ints, minutes: Ints) -> Ints:
    """Return the instants (seconds) of London wall-clock minutes on days since 1970.

    The offset is that of the day's noon, so minutes after 02:00 are exact on every day.
    """
    known, places = np.unique(days, return_inverse=True)
    noons = [datetime.fromtimestamp(int(day) * DAY + DAY // 2, UTC) for day in known]
    offsets = [noon.astimezone(LONDON).utcoffset() for noon in noons]
    shift = np.array([int(offset.total_seconds()) if offset else 0 for offset in offsets], np.int64)
    return days * DAY + minutes * 60 - shift[places]


def instants(seconds: Ints, mask: Flags | None = None) -> pa.Array:
    """Return seconds as a column of instants; where `mask` holds, or never: NULL."""
    never = seconds >= NEVER
    return pa.array(
        np.where(never, 0, seconds) * 1_000_000, pa.int64(), mask=never if mask is None else mask
    ).cast(INSTANT)


def dates(seconds: Ints) -> pa.Array:
    """Return the UTC dates of instants."""
    return pa.array((seconds // DAY).astype(np.int32), pa.int32()).cast(pa.date32())


def exact(units: Ints, precision: int, scale: int) -> pa.Array:
    """Return whole units of 10**-scale as DECIMAL(precision, scale)."""
    words = np.stack([units, units >> 63], axis=1).astype("<i8")
    data = pa.py_buffer(words.tobytes())
    kind = pa.decimal128(precision, scale)
    return pa.Array.from_buffers(kind, len(units), [None, data])


def prices(thousandths: Ints) -> pa.Array:
    """Return thousandths as DECIMAL(12,3)."""
    return exact(thousandths, 12, 3)


def thousandths(column: pa.ChunkedArray | pa.Array) -> Ints:
    """Return a DECIMAL column with at most three decimals as whole thousandths."""
    exact_units = pc.multiply(column, pa.scalar(1000, pa.decimal128(4, 0)))
    return np.asarray(exact_units.cast(pa.int64()), np.int64)


def numbered(prefix: str, numbers: Ints) -> pa.Array:
    """Return `prefix` followed by each number."""
    texts: Any = pa.array(numbers, pa.int64()).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar(prefix), texts, "")


def picked(values: pa.Array | list[Any], places: Ints, mask: Flags | None = None) -> pa.Array:
    """Return `values[place]` for each place; where `mask` holds: NULL."""
    column: Any = pa.array(values) if isinstance(values, list) else values
    if len(column) == 0:
        return pa.nulls(len(places), column.type)
    return column.take(pa.array(places if mask is None else np.where(mask, 0, places), mask=mask))


def seconds_in(column: pa.ChunkedArray | pa.Array) -> Ints:
    """Return a column of instants as seconds; NULL is NEVER."""
    numbers = pc.fill_null(column.cast(pa.int64()), NEVER * 1_000_000)
    return np.asarray(numbers, np.int64) // 1_000_000
