"""Several recommenders in one list."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analytics.recommenders.history import Histories, changes
from analytics.recommenders.interaction import NOBODY, Codes, Floats, Mask
from analytics.recommenders.lists import Lists, Recommender, joined, ranks

By = Literal["rank", "score"]

# Damps how much the first places weigh more than the next: Cormack, Clarke, Buettcher, Reciprocal
# rank fusion outperforms Condorcet and individual rank learning methods, 2009.
_DAMPED = 60
# Lists of so many histories at a time: about 1 GB with three parts.
_HISTORIES = 100_000


@dataclass(frozen=True, slots=True)
class Blend:
    """The weighted sum of what each part says of an item in its first `depth`.

    By `rank` a part says 1 / (60 + rank); by `score` its score over that of its first item. The
    reason and its `n` are those of the part that says most, of the parts that have one.
    """

    parts: tuple[tuple[Recommender, float], ...]
    by: By = "rank"
    depth: int = 50

    def related(self, items: Codes, k: int, allowed: Mask | None = None) -> Lists:
        """Return up to k other items for each item."""
        depth = max(self.depth, k)
        return self._blended(lambda part: part.related(items, depth, allowed), k)

    def recommend(
        self,
        told: Histories,
        k: int,
        allowed: Mask | None = None,
        *,
        without_seen: bool = True,
    ) -> Lists:
        """Return up to k items for each history."""
        depth = max(self.depth, k)

        def lists() -> Iterator[Lists]:
            for first in range(0, len(told), _HISTORIES):
                some = told.part(first, min(first + _HISTORIES, len(told)))
                found = self._blended(
                    lambda part, some=some: part.recommend(
                        some, depth, allowed, without_seen=without_seen
                    ),
                    k,
                )
                found.row[:] += first
                yield found

        return joined(list(lists()))

    def _blended(self, asked: Callable[[Recommender], Lists], k: int) -> Lists:
        said = [(asked(part), weight) for part, weight in self.parts]
        every = joined([lists for lists, _ in said])
        source = np.repeat(np.arange(len(said), dtype=np.int32), [len(lists) for lists, _ in said])
        part = np.concatenate(
            [np.zeros(0), *(weight * self._says(lists) for lists, weight in said)]
        )
        if not len(part):
            return every
        # Of one item in one row: the parts with a reason first, of those the one that says most.
        explained = every.reason != NOBODY
        order = np.lexsort((source, -part, ~explained, every.item, every.row))
        row, item = every.row[order], every.item[order]
        first = np.flatnonzero(changes(row) | changes(item))
        # Added up in the order of the parts, whichever of them says most.
        fixed = np.lexsort((source, every.item, every.row))
        score = np.add.reduceat(part[fixed], first)
        told = order[first]
        ranking = np.lexsort((item[first], -score, row[first]))
        row, told = row[first][ranking], told[ranking]
        kept = ranks(row) <= k
        row, told = row[kept], told[kept]
        return Lists(
            row,
            ranks(row),
            every.item[told],
            score[ranking][kept],
            every.reason[told],
            every.n[told],
            source[told],
        )

    def _says(self, lists: Lists) -> Floats:
        if self.by == "rank":
            return 1.0 / (_DAMPED + lists.rank)
        first = np.maximum.accumulate(np.where(lists.rank == 1, np.arange(len(lists)), 0))
        return lists.score / lists.score[first]
