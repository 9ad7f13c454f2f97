"""Whose taste is like whose: people who did something with the same items."""

from dataclasses import dataclass, replace

import numpy as np

from analytics.recommenders.history import Histories, histories, incidence, singles
from analytics.recommenders.interaction import Codes, Interactions, Mask
from analytics.recommenders.lists import (
    NEVER,
    Lists,
    best,
    blocks,
    in_parallel,
    joined,
    unexplained,
)
from analytics.recommenders.sparse import Sparse, stacked

# What half the shop has says little about anybody's taste, and costs the square of its buyers.
MOST_ACTORS = 500


@dataclass(frozen=True, slots=True)
class Neighbourhoods:
    """Who has what, and of the items that tell tastes apart who has them.

    The likeness of two actors is n_ab / sqrt(n_a n_b) over those items; `left_out` is how many
    items have too many actors to be one of them.
    """

    told: Interactions
    have: Sparse
    telling: Sparse
    neighbours: int
    at_least: int
    left_out: int

    def alike(self, actors: Codes, k: int) -> Lists:
        """Return up to k other actors for each actor: `item` is an actor, `n` the items of both."""
        return self._near(histories(self.told, "actor", actors), k)

    def related(self, items: Codes, k: int, allowed: Mask | None = None) -> Lists:
        """Return up to k other items for each item: what those who have it have as well."""
        return self.recommend(singles(items), k, allowed)

    def recommend(
        self,
        told: Histories,
        k: int,
        allowed: Mask | None = None,
        *,
        without_seen: bool = True,
    ) -> Lists:
        """Return the k items with the greatest sum of likeness over the neighbours who have them.

        `n` of the neighbours have the item; no single item of the history is the reason.
        """
        near = self._near(told, self.neighbours)
        start = np.searchsorted(near.row, np.arange(len(told) + 1)).astype(np.int64)
        # Each neighbour in complex numbers: the likeness, and 1 to count them.
        whom = Sparse(start, near.item, near.score + 1j, len(self.have))
        have = self.have if allowed is None else self.have.of_cells(allowed[self.have.column])
        seen = told.strengths(have.width)

        def some(part: tuple[int, int]) -> Lists:
            scores = _without(whom.part(*part), have, seen.part(*part) if without_seen else None)
            real = replace(scores, value=np.real(scores.value))
            row, place = best(real, k)
            n = np.rint(np.imag(scores.value[place])).astype(np.int64)
            return unexplained(row + part[0], scores.column[place], real.value[place], n)

        return joined(in_parallel(some, blocks(whom.work(have))))

    def _near(self, told: Histories, k: int) -> Lists:
        strengths = told.strengths(self.telling.width)
        mine = replace(strengths, value=np.ones(len(strengths.value), dtype=np.int32))
        by_item = self.telling.transposed()
        mine = mine.of_cells(by_item.lengths()[mine.column] > 0)
        n_mine, n_theirs = mine.lengths(), self.telling.lengths()

        def some(part: tuple[int, int]) -> Lists:
            both = mine.part(*part).times(by_item)
            row = both.rows() + part[0]
            alike = both.value / np.sqrt(n_mine[row].astype(np.float64) * n_theirs[both.column])
            others = (both.column != told.actor[row]) & (both.value >= self.at_least)
            row, place = best(replace(both, value=np.where(others, alike, 0.0)), k)
            n = both.value[place].astype(np.int64)
            actor = both.column[place]
            return unexplained(row + part[0], actor, alike[place], n)

        return joined(in_parallel(some, blocks(mine.work(by_item))))


def fit(
    told: Interactions,
    neighbours: int = 50,
    at_least: int = 2,
    most_actors: int = MOST_ACTORS,
) -> Neighbourhoods:
    """Return the actors to compare with; neighbours share `at_least` items that tell tastes apart.

    Items with more than `most_actors` actors tell nothing; they may still be recommended.
    """
    have = incidence(told, "actor")
    actors = np.bincount(have.column, minlength=have.width)
    telling = have.of_cells((actors <= most_actors)[have.column])
    left_out = int((actors > most_actors).sum())
    return Neighbourhoods(told, have, telling, neighbours, at_least, left_out)


def _without(whom: Sparse, have: Sparse, seen: Sparse | None) -> Sparse:
    """Return what the neighbours have, and of what is seen far below nothing."""
    if seen is None:
        return whom.times(have)
    rows = len(whom)
    start = whom.start + np.arange(rows + 1)
    column = np.insert(whom.column, whom.start[1:], len(have) + np.arange(rows)).astype(np.int32)
    value = np.insert(whom.value, whom.start[1:], NEVER)
    both = stacked(have, replace(seen, value=seen.value.astype(np.complex128)))
    return Sparse(start, column, value, whom.width + rows).times(both)
