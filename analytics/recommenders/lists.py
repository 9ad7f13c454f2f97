"""Ranked lists, and the best of sparse scores, in blocks that fit into memory."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from analytics.recommenders.history import Histories, changes
from analytics.recommenders.interaction import NOBODY, Codes, Floats, Mask, Places
from analytics.recommenders.sparse import Sparse

# Products of sparse matrices are made of so many multiplications at a time. Their arrays then stay
# in the caches: item-item of a million interactions takes 1.9 s, with 1 << 24 at a time 5.2 s.
BLOCK = 1 << 18
# numpy and scipy let other threads go on while they multiply and select.
WORKERS = 2
# Takes an item out of every sum it is in, however strong: no sum of weights comes near.
NEVER = -1e18

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Lists:
    """Ranked lists one after another, in the order of (row, rank).

    `row` is the place of the list in what was asked for, `rank` counts from 1, `item` is a code.
    `reason` is the item of the history that brought most of the score, `NOBODY` where no single one
    did, and `n` how many did as the reason says (each recommender says who). `source` is the part
    of a blend that `reason` and `n` are of.
    """

    row: Places
    rank: Codes
    item: Codes
    score: Floats
    reason: Codes
    n: Places
    source: Codes

    def __len__(self) -> int:
        """Return the number of entries in all lists."""
        return len(self.row)


class Recommender(Protocol):
    """What each `fit` returns: more can be asked of it, but this of every one."""

    def related(self, items: Codes, k: int, allowed: Mask | None = None) -> Lists:
        """Return up to k other items for each item, of the allowed ones only."""
        ...

    def recommend(
        self,
        told: Histories,
        k: int,
        allowed: Mask | None = None,
        *,
        without_seen: bool = True,
    ) -> Lists:
        """Return up to k items for each history, of the allowed ones only."""
        ...


def best(scores: Sparse, k: int) -> tuple[Places, Places]:
    """Return the k greatest values above 0 of each row, in their order: rows, and places of cells.

    Of equal values that of the first column comes first.
    """
    place = np.flatnonzero(scores.value > 0)
    row, value = scores.rows()[place], scores.value[place]
    kept = greatest(row, value, len(scores), k)
    place, row, value = place[kept], row[kept], value[kept]
    order = np.lexsort((scores.column[place], -value, row))
    kept = ranks(row[order]) <= k
    return row[order][kept], place[order][kept]


def greatest(row: Places, value: Floats, rows: int, k: int) -> Mask:
    """Return which of the values are among the k greatest of their row; rows stand together."""
    return value >= _thresholds(row, value, rows, k)[row]


def ranks(row: Places) -> Codes:
    """Return the place from 1 of each entry among those of its row; rows stand together."""
    place = np.arange(len(row))
    return (place - np.maximum.accumulate(np.where(changes(row), place, 0)) + 1).astype(np.int32)


def blocks(cost: Places, most: int = BLOCK) -> Iterator[tuple[int, int]]:
    """Return runs of rows, each as long as its costs together stay within `most`."""
    whole = np.concatenate([[0], np.cumsum(cost)])
    first = 0
    while first < len(cost):
        last = int(np.searchsorted(whole, whole[first] + most, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


def in_parallel(work: Callable[[T], R], parts: Iterable[T]) -> list[R]:
    """Return what the work makes of each part, in the order of the parts."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, parts))


def ranked(row: Places, item: Codes, score: Floats, reason: Codes, n: Places) -> Lists:
    """Return lists of entries in their order, those of a row together."""
    return Lists(row, ranks(row), item, score, reason, n, np.zeros(len(row), dtype=np.int32))


def unexplained(row: Places, item: Codes, score: Floats, n: Places) -> Lists:
    """Return lists for which no item of a history is the reason."""
    return ranked(row, item, score, np.full(len(row), NOBODY, dtype=np.int32), n)


def joined(parts: list[Lists]) -> Lists:
    """Return the lists of all parts, which come in the order of their rows."""
    parts = [_nothing(), *parts]
    return Lists(
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.rank for part in parts]),
        np.concatenate([part.item for part in parts]),
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.reason for part in parts]),
        np.concatenate([part.n for part in parts]),
        np.concatenate([part.source for part in parts]),
    )


def _nothing() -> Lists:
    codes, counts = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
    return ranked(counts, codes, np.zeros(0), codes, counts)


def _thresholds(row: Places, value: Floats, rows: int, k: int) -> Floats:
    """Return the k-th greatest value of each row, minus infinity where there are no more than k."""
    lengths = np.bincount(row, minlength=rows)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    least = np.full(rows, -np.inf)
    # Rows of like length go together, so that padding costs little.
    longer = np.flatnonzero(lengths > k)
    longer = longer[np.argsort(lengths[longer], kind="stable")]
    for first, last in blocks(lengths[longer], 1 << 21):
        some = longer[first:last]
        width = int(lengths[some].max())
        place = starts[some, None] + np.arange(width)
        inside = np.arange(width) < lengths[some, None]
        padded = np.where(inside, value[np.minimum(place, len(value) - 1)], -np.inf)
        least[some] = np.partition(padded, width - k, axis=1)[:, width - k]
    return least
