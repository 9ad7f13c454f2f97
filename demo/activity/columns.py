"""Text and number columns made from whole arrays: ids, times, decimals."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from demo.draws import Keys

Millis = NDArray[np.int64]  # since 1970-01-01T00:00Z
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]  # positions in another array; -1: none

DAY = 86_400_000
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


def ids(prefix: str, keys: Keys) -> pa.Array:
    """Return the prefix and 16 hex digits per key."""
    given = prefix.encode()
    text = np.empty((len(keys), len(given) + 16), np.uint8)
    text[:, : len(given)] = np.frombuffer(given, np.uint8)
    octets = keys.astype(">u8").view(np.uint8).reshape(len(keys), 8)
    text[:, len(given) :: 2] = _HEX[octets >> 4]
    text[:, len(given) + 1 :: 2] = _HEX[octets & 15]
    return _texts(text)


def times(at: Millis) -> pa.Array:
    """Return ISO-8601 UTC with three digits; text order is time order."""
    days, place = np.unique(at // DAY, return_inverse=True)
    dates = np.datetime_as_string(days.astype("datetime64[D]")).astype("S10")
    text = np.empty((len(at), 24), np.uint8)
    text[:, :10] = dates.view(np.uint8).reshape(len(days), 10)[place]
    text[:, [10, 13, 16, 19, 23]] = np.frombuffer(b"T::.Z", np.uint8)
    left = at % DAY
    for column, unit, width in ((11, 3_600_000, 2), (14, 60_000, 2), (17, 1_000, 2), (20, 1, 3)):
        _digits(text, column, left // unit, width)
        left = left % unit
    return _texts(text)


def digits(keys: Keys, others: Keys) -> pa.Array:
    """Return a whole number of 38 digits per pair of keys, as text."""
    text = np.empty((len(keys), 38), np.uint8)
    text[:, 0] = ord("7")
    _digits(text, 1, (keys % np.uint64(10**18)).astype(np.int64), 18)
    _digits(text, 19, (others % np.uint64(10**18)).astype(np.int64), 18)
    text[:, 37] = ord("3")
    return _texts(text)


def decimals(thousandths: NDArray[np.int64]) -> pa.Array:
    """Return DECIMAL(18,3) of whole thousandths."""
    words = np.empty((len(thousandths), 2), np.int64)
    words[:, 0] = thousandths
    words[:, 1] = np.where(thousandths < 0, -1, 0)
    kind = pa.decimal128(18, 3)
    return pa.Array.from_buffers(kind, len(words), [None, pa.py_buffer(words.tobytes())])


def chosen(values: Sequence[str | None], places: NDArray[np.integer]) -> pa.Array:
    """Return the value at each place; place -1 gives NULL."""
    return taken(pa.array(values, pa.string()), places)


def taken(values: pa.Array, places: NDArray[np.integer]) -> pa.Array:
    """Return the value at each place; place -1 gives NULL."""
    return values.take(pa.array(places, pa.int64(), mask=np.asarray(places) < 0))


def where(kept: Flags, values: pa.Array) -> pa.Array:
    """Return the values that are kept, NULL in place of the others."""
    return values.take(pa.array(np.arange(len(kept)), mask=~kept))


def _digits(text: NDArray[np.uint8], column: int, number: NDArray[np.int64], width: int) -> None:
    """Write the number's last `width` digits into the columns from `column` on."""
    for place in range(column + width - 1, column - 1, -1):
        text[:, place] = number % 10 + ord("0")
        number = number // 10


def _texts(octets: NDArray[np.uint8]) -> pa.Array:
    """Return rows of equally many ASCII characters as text."""
    count, width = octets.shape
    offsets = pa.py_buffer(np.arange(0, (count + 1) * width, width, dtype=np.int64).tobytes())
    large = pa.Array.from_buffers(
        pa.large_string(), count, [None, offsets, pa.py_buffer(octets.tobytes())]
    )
    return large.cast(pa.string())
