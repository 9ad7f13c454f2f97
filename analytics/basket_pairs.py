"""Count in how many baskets products are, and any two of them together: in arrays of whole numbers.

A product is a number from 0 on, below 2^31, and a pair one number: the lesser product's times 2^32,
plus the other's. Sorting such numbers is what counts them: SQL that groups as many took three times
as long (docs/decisions.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]
Pairs = npt.NDArray[np.int64]

OTHER_BITS = 32
# So many pairs are sorted at a time: half a GB, and about as much again beside it.
MOST_AT_ONCE = 2**26
# So many pairs are written out at a time: what fits into a processor's cache.
BLOCK = 2**18


@dataclass(frozen=True, slots=True)
class Baskets:
    """What baskets hold: basket i the products `starts[i]` up to `starts[i + 1]`, ascending."""

    starts: Counts
    products: Numbers

    def within(self, cap: int) -> "Baskets":
        """Return the baskets of at most `cap` products."""
        sizes = np.diff(self.starts)
        if not len(sizes) or sizes.max() <= cap:
            return self
        kept = sizes <= cap
        return Baskets(
            np.concatenate(([0], np.cumsum(sizes[kept]))),
            self.products[np.repeat(kept, sizes)],
        )


def packed(baskets: Hashes, sizes: Counts, products: Numbers) -> Baskets:
    """Return what baskets hold, from parts of them in any order.

    Part i is of the basket `baskets[i]` and holds the next `sizes[i]` of `products`. A product that
    is in a basket more than once counts once.
    """
    order = np.argsort(baskets)
    numbers = np.empty(len(baskets), np.int64)
    numbers[order] = np.cumsum(_is_first(baskets[order])) << OTHER_BITS
    rows = np.repeat(numbers, sizes)
    rows |= products
    rows.sort()
    rows = rows[_is_first(rows)]
    held = rows.astype(np.int32)
    rows >>= OTHER_BITS
    return Baskets(np.append(np.flatnonzero(_is_first(rows)), len(rows)), held)


def pair_counts(
    baskets: Baskets, fewest: int = 1, at_once: int = MOST_AT_ONCE
) -> Iterator[tuple[Pairs, Counts]]:
    """Yield each pair that is in at least `fewest` baskets, with their number, in some parts.

    What is held grows with the pairs of `at_once`, not with all of them.
    """
    sizes = np.diff(baskets.starts)
    total = int((sizes * (sizes - 1) // 2).sum())
    # an odd number of parts shares products out evenly, also where all are of one kind in four
    parts = -(-total // at_once) | 1
    for part in range(parts):
        pairs = np.empty(
            total if parts == 1 else _pair_count(baskets, sizes, part, parts), np.int64
        )
        end = 0
        for some in _pairs(baskets, sizes, part, parts):
            pairs[end : end + len(some)] = some
            end += len(some)
        pairs.sort()
        yield from _runs(pairs, fewest)


def _pair_count(baskets: Baskets, sizes: Counts, part: int, parts: int) -> int:
    """Return how many pairs have a lesser product of the part."""
    after = np.repeat(baskets.starts[1:], sizes) - np.arange(1, len(baskets.products) + 1)
    return int(after[baskets.products % parts == part].sum())


def _pairs(baskets: Baskets, sizes: Counts, part: int, parts: int) -> Iterator[Pairs]:
    """Yield the pairs of each basket whose lesser product is of the part."""
    for size in np.unique(sizes[sizes > 1]).tolist():
        first, second = np.triu_indices(size, 1)
        starts = baskets.starts[:-1][sizes == size]
        step = max(1, BLOCK // len(first))
        for begin in range(0, len(starts), step):
            held = baskets.products[starts[begin : begin + step, None] + np.arange(size)]
            pairs = held.astype(np.int64)[:, first] << OTHER_BITS
            pairs |= held[:, second]
            pairs = pairs.ravel()
            yield pairs if parts == 1 else pairs[(pairs >> OTHER_BITS) % parts == part]


def _runs(ordered: Pairs, fewest: int) -> Iterator[tuple[Pairs, Counts]]:
    """Yield the ascending values that are there so often, each once, and how often."""
    begin = 0
    while begin < len(ordered):
        # what is equal stays in one block
        last = ordered[min(begin + BLOCK, len(ordered)) - 1]
        end = begin + int(np.searchsorted(ordered[begin:], last, "right"))
        block = ordered[begin:end]
        starts = np.flatnonzero(_is_first(block))
        counts = np.diff(starts, append=len(block))
        if fewest > 1:
            enough = counts >= fewest
            starts, counts = starts[enough], counts[enough]
        yield block[starts], counts
        begin = end


def _is_first(ordered: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return whether a value differs from the one before it."""
    found = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=found[1:])
    return found
