"""What goes with what: items that the same actors, sessions or orders have.

The similarity of two items is taken from how many have each and both, never from how often.

- `cosine`: n_ab / sqrt(n_a n_b) (Sarwar, Karypis, Konstan, Riedl: Item-based collaborative
  filtering recommendation algorithms, 2001; Linden, Smith, York: Amazon.com recommendations, 2003).
- `llr`: the root of Dunning's G^2 of the fourfold table of having a and having b (Accurate methods
  for the statistics of surprise and coincidence, 1993), for pairs that are together more often than
  by chance. It ranks as G^2 does; its root keeps one best-seller from outweighing a history.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from analytics.recommenders.history import Histories, incidence, singles
from analytics.recommenders.interaction import Codes, Floats, Grouping, Interactions, Mask, Places
from analytics.recommenders.lists import (
    NEVER,
    Lists,
    best,
    blocks,
    in_parallel,
    joined,
    ranked,
)
from analytics.recommenders.reasons import brought_most
from analytics.recommenders.sparse import Sparse, filled

Measure = Literal["cosine", "llr"]

# A shop shows 20, of which many may be out of stock.
NEIGHBOURS = 100
# Weak likeness to all that somebody ever had adds up to popularity: on real orders 19 recommend
# better than 50, and those than 100 (docs/explanation/recommendation-evaluation.md). 19 and the
# item itself are the 20 that implicit keeps.
SUMMED = 19


@dataclass(frozen=True, slots=True)
class Similarities:
    """The most similar items of each item.

    `similar` is items x items; `both` says for each of its cells, in their order, how many groups
    have both items. `summed` of them, the most similar, count in recommendations. `left_out` is how
    many groups had too many items to tell anything.
    """

    similar: Sparse
    both: Places
    summed: int
    left_out: int
    # What was offered last: the same for each block of histories, and seconds to find.
    _last: list[tuple[Mask | None, int, bool, Sparse]] = field(
        default_factory=list[tuple[Mask | None, int, bool, Sparse]], repr=False, compare=False
    )

    def related(self, items: Codes, k: int, allowed: Mask | None = None) -> Lists:
        """Return up to k similar items for each item; `n` have both, the reason is the item."""
        return self._summed(singles(items), k, self._offered(allowed, self.similar.width))

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
        offered = self._offered(allowed, self.summed, without_seen=without_seen)
        return self._summed(told, k, offered)

    def _summed(self, told: Histories, k: int, offered: Sparse) -> Lists:
        strengths = told.strengths(self.similar.width)
        cells, pairs = offered.cells(), self.similar.cells()

        def some(part: tuple[int, int]) -> Lists:
            mine = strengths.part(*part)
            scores = mine.times(offered)
            row, place = best(scores, k)
            item = scores.column[place]
            reason, _ = brought_most(mine, offered, cells, row, item)
            pair = np.searchsorted(pairs, reason.astype(np.int64) * self.similar.width + item)
            return ranked(row + part[0], item, scores.value[place], reason, self.both[pair])

        return joined(in_parallel(some, blocks(strengths.work(offered))))

    def _offered(self, allowed: Mask | None, most: int, *, without_seen: bool = True) -> Sparse:
        """Return what strengths are multiplied with: of allowed items, the most similar of each.

        Kept for the next call with the same array of them.
        """
        for last, *asked, offered in self._last:
            if last is allowed and asked == [most, without_seen]:
                return offered
        offered = self._found(allowed, most, without_seen=without_seen)
        self._last[:] = [(allowed, most, without_seen, offered)]
        return offered

    def _found(self, allowed: Mask | None, most: int, *, without_seen: bool) -> Sparse:
        items, similar = self.similar.width, self.similar
        if allowed is not None:
            similar = similar.of_cells(allowed[similar.column])
        strongest = np.zeros(len(similar.value), dtype=np.bool_)
        strongest[best(similar, most)[1]] = True
        similar = similar.of_cells(strongest)
        cell, value = similar.cells(), similar.value
        if without_seen:
            cell = np.concatenate([cell, np.arange(items) * (items + 1)])
            value = np.concatenate([value, np.full(items, NEVER)])
            order = np.argsort(cell, kind="stable")
            cell, value = cell[order], value[order]
        return filled(cell, value, items, items)


def fit(
    told: Interactions,
    by: Grouping = "actor",
    measure: Measure = "cosine",
    neighbours: int = NEIGHBOURS,
    summed: int = SUMMED,
    at_least: int = 1,
    most_items: int | None = None,
) -> Similarities:
    """Return the `neighbours` most similar items of each item, of which `summed` recommend.

    At least `at_least` groups must have both. Groups with more than `most_items` different items
    are left out and counted: a reseller's order of everything says nothing about what goes
    together, and costs the square of its length.
    """
    have = incidence(told, by)
    usual = np.ones(len(have), dtype=np.bool_)
    if most_items is not None:
        usual = have.lengths() <= most_items
    left_out = int((~usual).sum())
    have = have.of_rows(usual & (have.lengths() > 0))
    by_item = have.transposed()
    n = by_item.lengths()

    def some(part: tuple[int, int]) -> tuple[Places, Floats, Places]:
        both = by_item.part(*part).times(have)
        row = both.rows() + part[0]
        counted = np.flatnonzero((row != both.column) & (both.value >= at_least))
        scores = replace(both, value=np.zeros(len(row)))
        n_a, n_b = n[row[counted]], n[both.column[counted]]
        scores.value[counted] = _MEASURES[measure](both.value[counted], n_a, n_b, len(have))
        row, place = best(scores, neighbours)
        cell = (row + part[0]) * len(n) + both.column[place]
        order = np.argsort(cell)
        place = place[order]
        return cell[order], scores.value[place], both.value[place].astype(np.int64)

    parts = in_parallel(some, blocks(by_item.work(have)))
    cell = np.concatenate([np.zeros(0, dtype=np.int64), *(part[0] for part in parts)])
    value = np.concatenate([np.zeros(0), *(part[1] for part in parts)])
    both = np.concatenate([np.zeros(0, dtype=np.int64), *(part[2] for part in parts)])
    return Similarities(filled(cell, value, len(n), len(n)), both, summed, left_out)


def cosine(n_ab: Places, n_a: Places, n_b: Places, groups: int) -> Floats:  # noqa: ARG001 one signature
    """Return the cosine of the two columns of ones."""
    return n_ab / np.sqrt(n_a.astype(np.float64) * n_b)


def root_llr(n_ab: Places, n_a: Places, n_b: Places, groups: int) -> Floats:
    """Return the root of G^2, 0 for pairs that are together no more often than by chance.

    G^2 is 2 sum k ln(k / expected) over the four cells, which loses less than differences of
    entropies do.
    """
    both, a, b = (count.astype(np.float64) for count in (n_ab, n_a, n_b))
    whole = float(groups)
    cells = (
        (both, a * b),
        (a - both, a * (whole - b)),
        (b - both, (whole - a) * b),
        (whole - a - b + both, (whole - a) * (whole - b)),
    )
    total = np.zeros(len(both))
    for seen, product in cells:
        ratio = np.divide(seen * whole, product, out=np.ones(len(both)), where=seen > 0)
        total += seen * np.log(ratio)
    return np.where(both * whole > a * b, np.sqrt(2 * np.maximum(total, 0)), 0.0)


_MEASURES = {"cosine": cosine, "llr": root_llr}
