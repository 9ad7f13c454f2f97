"""What goes with what: items that the same actors, sessions or orders have.

The similarity of two items is taken from how many have each and both, never from how often.
`cosine` is n_ab / sqrt(n_a n_b) (Sarwar, Karypis, Konstan, Riedl: Item-based collaborative
filtering, 2001; Linden, Smith, York: Amazon.com recommendations, 2003).
"""

from dataclasses import dataclass, replace

import numpy as np

from analytics.recommenders.history import Histories, changes, incidence, singles
from analytics.recommenders.interaction import Codes, Floats, Grouping, Interactions, Mask, Places
from analytics.recommenders.lists import NEVER, Lists, best, blocks, in_parallel, joined, ranks
from analytics.recommenders.sparse import Sparse, filled

# A shop shows 20; as many again may be out of stock, and the rest adds up over a history.
NEIGHBOURS = 100


@dataclass(frozen=True, slots=True)
class Similarities:
    """The most similar items of each item.

    `similar` is items x items; `both` says for each of its cells, in their order, how many groups
    have both items. `left_out` is how many groups had too many items to tell anything.
    """

    similar: Sparse
    both: Places
    left_out: int

    def related(self, items: Codes, k: int, allowed: Mask | None = None) -> Lists:
        """Return up to k similar items for each item; `n` have both, the reason is the item."""
        return self.recommend(singles(items), k, allowed)

    def recommend(
        self,
        told: Histories,
        k: int,
        allowed: Mask | None = None,
        *,
        without_seen: bool = True,
    ) -> Lists:
        """Return the k items with the greatest sum of strength x similarity over each history.

        The reason is the item of the history with the greatest part in it; `n` have both.
        """
        offered = self._offered(allowed, without_seen=without_seen)
        strengths = told.strengths(self.similar.width)
        cells = self.similar.cells()

        def some(part: tuple[int, int]) -> Lists:
            mine = strengths.part(*part)
            row, item, score = best(mine.times(offered), k)
            reason, n = self._reasons(cells, mine, row, item)
            return Lists(row + part[0], ranks(row), item, score, reason, n)

        return joined(in_parallel(some, blocks(strengths.work(offered))))

    def _offered(self, allowed: Mask | None, *, without_seen: bool) -> Sparse:
        """Return what the strengths are multiplied with: columns of allowed items only."""
        items = self.similar.width
        cell, value = self.similar.cells(), self.similar.value
        if allowed is not None:
            kept = allowed[self.similar.column]
            cell, value = cell[kept], value[kept]
        if without_seen:
            cell = np.concatenate([cell, np.arange(items) * (items + 1)])
            value = np.concatenate([value, np.full(items, NEVER)])
            order = np.argsort(cell, kind="stable")
            cell, value = cell[order], value[order]
        return filled(cell, value, items, items)

    def _reasons(
        self, cells: Places, mine: Sparse, row: Places, item: Codes
    ) -> tuple[Codes, Places]:
        """Return for each recommended item the item of its history that brought most, and n.

        Of equal parts that of the first item by code is told.
        """
        if not len(row):
            return item, row
        events = mine.lengths()[row]
        entry = np.repeat(np.arange(len(row)), events)
        first = np.concatenate([[0], np.cumsum(events)[:-1]])
        event = np.arange(len(entry)) - first[entry] + mine.start[row][entry]
        cell = mine.column[event].astype(np.int64) * self.similar.width + item[entry]
        place = np.minimum(np.searchsorted(cells, cell), len(cells) - 1)
        part = np.where(cells[place] == cell, mine.value[event] * self.similar.value[place], 0)
        most = np.maximum.reduceat(part, first)
        # Entries stand together, and their events in the order of items.
        found = np.flatnonzero(part == most[entry])
        found = found[changes(entry[found])]
        return mine.column[event[found]], self.both[place[found]]


def fit(
    told: Interactions,
    by: Grouping = "actor",
    neighbours: int = NEIGHBOURS,
    at_least: int = 1,
    most_items: int | None = None,
) -> Similarities:
    """Return the `neighbours` most similar items of each item.

    At least `at_least` groups must have both. Groups with more than `most_items` different items
    are left out and counted: a reseller's order of everything says nothing about what goes
    together, and costs the square of its length.
    """
    have = incidence(told, by)
    usual = np.ones(len(have), dtype=np.bool_)
    if most_items is not None:
        usual = have.lengths() <= most_items
    have = have.of_rows(usual)
    by_item = have.transposed()
    n = by_item.lengths()

    def some(part: tuple[int, int]) -> tuple[Places, Floats, Places]:
        both = by_item.part(*part).times(have)
        row = both.rows() + part[0]
        counted = (row != both.column) & (both.value >= at_least)
        score = np.where(counted, both.value / np.sqrt(n[row] * n[both.column]), 0.0)
        row, item, value = best(replace(both, value=score), neighbours)
        row += part[0]
        together = np.rint(value * np.sqrt(n[row] * n[item])).astype(np.int64)
        order = np.lexsort((item, row))
        return (row * len(n) + item)[order], value[order], together[order]

    parts = in_parallel(some, blocks(by_item.work(have)))
    cell = np.concatenate([np.zeros(0, dtype=np.int64), *(part[0] for part in parts)])
    value = np.concatenate([np.zeros(0), *(part[1] for part in parts)])
    both = np.concatenate([np.zeros(0, dtype=np.int64), *(part[2] for part in parts)])
    return Similarities(filled(cell, value, len(n), len(n)), both, int((~usual).sum()))
