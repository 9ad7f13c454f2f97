"""What went on in sessions like this one: V-SKNN.

After Ludewig and Jannach (Evaluation of session-based recommendation algorithms, 2018; Empirical
analysis of session-based recommendation algorithms, 2020) and their code (rn5l/session-rec,
algorithms/knn/vsknn.py, without IDF). Of the sessions that share an item with this one, the
`sessions` most recent are compared; the similarity is the sum of the weights of the shared items,
by the last place of each in this session, over the number of its different items. The `neighbours`
most similar each give their items their similarity, faded by how many steps ago this session had
the latest item that it shares with the neighbour. Two linear decays of theirs turn negative ten
steps back; here they end at 0. Equal similarities: the more recent session, then the first by id.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from analytics.recommenders.history import Histories, changes, incidence, singles
from analytics.recommenders.interaction import Codes, Floats, Grouping, Interactions, Mask, Places
from analytics.recommenders.lists import (
    NEVER,
    Lists,
    best,
    blocks,
    greatest,
    in_parallel,
    joined,
    ranked,
    ranks,
)
from analytics.recommenders.reasons import brought_most
from analytics.recommenders.sparse import Sparse, filled, stacked

Decay = Literal["same", "linear", "div", "quadratic"]

# Weight of place i of `length`, times what `_SCALE` says: whole numbers, so that ties are ties.
_WEIGHTS: dict[str, Callable[[Places, Places], Places]] = {
    "same": lambda i, _length: np.ones_like(i),
    "linear": lambda i, length: np.maximum(10 - (length - i), 0),
    "div": lambda i, _length: i,
    "quadratic": lambda i, _length: i * i,
}
_SCALE: dict[str, Callable[[Places], Places]] = {
    "same": np.ones_like,
    "linear": lambda length: np.full_like(length, 10),
    "div": lambda length: length,
    "quadratic": lambda length: length * length,
}
_FADED: dict[str, Callable[[Places], Floats]] = {
    "same": lambda step: np.ones(len(step)),
    "linear": lambda step: np.maximum(10 - step, 0) / 10,
    "div": lambda step: 1 / step,
    "quadratic": lambda step: 1 / (step * step),
}
# One number holds the sum of weights in the low bits and, above, a bit for each shared place.
LAST = 40  # the squares up to 40 add up to less than 2^16, and 40 places are left above them
_LOW = 16


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions to compare with, the most recent first, and for each item the first of them."""

    have: Sparse
    of_item: Sparse
    sessions: int
    neighbours: int
    weighting: Decay
    fading: Decay

    def related(self, items: Codes, k: int, allowed: Mask | None = None) -> Lists:
        """Return up to k items for a session that has seen one item only."""
        return self.recommend(singles(items), k, allowed)

    def recommend(
        self,
        told: Histories,
        k: int,
        allowed: Mask | None = None,
        *,
        without_seen: bool = True,
    ) -> Lists:
        """Return the k items with the greatest score for each session so far, by its last 40 steps.

        The reason is the item of the session through which most of the score came; `n` of the
        neighbours came through it and have the recommended item.
        """
        have = self.have if allowed is None else self.have.of_cells(allowed[self.have.column])
        asked, length = _asked(told, have.width, self.weighting)

        def some(part: tuple[int, int]) -> Lists:
            mine = asked.part(*part)
            steps, item_of_step, near = self._neighbours(mine, length[slice(*part)])
            given = near.times(have).ordered()
            offered = replace(given, value=np.real(given.value))
            seen = told.part(*part).strengths(have.width) if without_seen else None
            scores = _sums(steps, offered, seen)
            row, place = best(scores, k)
            item = scores.column[place]
            step, pair = brought_most(steps, offered, offered.cells(), row, item)
            n = np.rint(np.imag(given.value[pair])).astype(np.int64)
            return ranked(row + part[0], item, scores.value[place], item_of_step[step], n)

        cost = asked.work(self.of_item) + 20 * self.neighbours
        return joined(in_parallel(some, blocks(cost)))

    def _neighbours(self, mine: Sparse, length: Places) -> tuple[Sparse, Codes, Sparse]:
        """Return rows x steps, the item of each step, and steps x sessions.

        A step is a place in a row's session that is the latest it shares with some neighbour. Its
        neighbours stand in complex numbers: what each gives, and 1 to count it.
        """
        shared = mine.times(self.of_item)
        recent = (shared.width - shared.column).astype(np.float64)
        shared = shared.of_cells(greatest(shared.rows(), recent, len(mine), self.sessions))
        alike = replace(shared, value=shared.value & ((1 << _LOW) - 1))
        row, cell = best(alike, self.neighbours)
        session = shared.column[cell].astype(np.int64)
        place = _highest(shared.value[cell])
        order = np.lexsort((session, place, row))
        row, cell, session, place = row[order], cell[order], session[order], place[order]
        scale = _SCALE[self.weighting](length) * np.maximum(mine.lengths(), 1)
        gives = alike.value[cell] / scale[row] * _FADED[self.fading](length[row] - place + 1)
        where = row * (LAST + 1) + place
        first = changes(where)
        step, steps = np.cumsum(first) - 1, int(first.sum())
        near = filled(step * shared.width + session, gives + 1j, steps, shared.width)
        asked = mine.rows() * (LAST + 1) + _highest(mine.value)
        order = np.argsort(asked)
        items = mine.column[order][np.searchsorted(asked[order], where[first])]
        of_row = filled(row[first] * steps + np.arange(steps), np.ones(steps), len(mine), steps)
        return of_row, items, near


def fit(
    told: Interactions,
    by: Grouping = "session",
    sessions: int = 1000,
    neighbours: int = 100,
    weighting: Decay = "quadratic",
    fading: Decay = "quadratic",
) -> Sessions:
    """Return the sessions to compare with; the time of a session is that of its last interaction.

    `weighting` is of the places in the session at hand, `fading` of the steps back to the latest
    item shared with a neighbour.
    """
    have = incidence(told, by)
    group, groups = told.groups(by)
    ended = np.full(groups + 1, np.iinfo(np.int64).min)  # the last place is that of NOBODY
    np.maximum.at(ended, group, told.at)
    used = np.flatnonzero(have.lengths())
    order = used[np.lexsort((used, -ended[used]))]
    turn = np.zeros(groups, dtype=np.int64)
    turn[order] = np.arange(len(order))
    cell = np.sort(turn[have.rows()] * have.width + have.column)
    recent = filled(cell, np.ones(len(cell), dtype=np.int64), len(order), have.width)
    of_item = recent.transposed()
    # The most recent sessions with any of some items are among the most recent with each.
    of_item = of_item.of_cells(ranks(of_item.rows()) <= sessions)
    return Sessions(recent, of_item, sessions, neighbours, weighting, fading)


def _asked(told: Histories, items: int, weighting: Decay) -> tuple[Sparse, Places]:
    """Return rows x items with the packed last place of each item, and the lengths of sessions."""
    row = told.rows()
    from_end = told.start[1:][row] - np.arange(len(row))
    chosen = from_end <= LAST
    length = np.minimum(np.diff(told.start), LAST)
    row, item, from_end = row[chosen], told.item[chosen], from_end[chosen]
    place = length[row] - from_end + 1
    cell = row * items + item
    order = np.lexsort((-place, cell))
    order = order[changes(cell[order])]
    place = place[order]
    packed = _WEIGHTS[weighting](place, length[row[order]]) + (np.int64(1) << (_LOW + place - 1))
    return filled(cell[order], packed, len(told), items), length


def _highest(packed: Places) -> Places:
    """Return the latest place of those that are packed in each number, from 1."""
    return np.frexp((packed >> _LOW).astype(np.float64))[1].astype(np.int64)


def _sums(steps: Sparse, offered: Sparse, seen: Sparse | None) -> Sparse:
    """Return what all steps of each row offer together, and of what is seen far below nothing."""
    if seen is None:
        return steps.times(offered)
    rows = np.arange(len(steps))
    width = steps.width + len(steps)
    cell = np.concatenate([steps.rows() * width + steps.column, rows * width + steps.width + rows])
    value = np.concatenate([steps.value, np.full(len(steps), NEVER)])
    order = np.argsort(cell)
    return filled(cell[order], value[order], len(steps), width).times(stacked(offered, seen))
