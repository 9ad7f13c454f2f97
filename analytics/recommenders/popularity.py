"""What most people want: the baseline that every other recommender has to beat."""

from dataclasses import dataclass

import numpy as np

from analytics.recommenders.history import Histories, changes, singles
from analytics.recommenders.interaction import Codes, Floats, Grouping, Interactions, Mask, Places
from analytics.recommenders.lists import Lists, blocks, in_parallel, joined, unexplained

DAY = 86_400_000_000  # in microseconds


@dataclass(frozen=True, slots=True)
class Ranking:
    """The same order of items for everybody; `n` is how many different actors did it.

    Only items with a score above 0 are ever recommended.
    """

    score: Floats
    n: Places

    def related(self, items: Codes, k: int, allowed: Mask | None = None) -> Lists:
        """Return up to k other items for each item: the first of the order."""
        return self.recommend(singles(items), k, allowed)

    def recommend(
        self,
        told: Histories,
        k: int,
        allowed: Mask | None = None,
        *,
        without_seen: bool = True,
    ) -> Lists:
        """Return up to k items for each history: the first of the order."""
        shown = self.score > 0 if allowed is None else (self.score > 0) & allowed
        order = np.flatnonzero(shown)
        order = order[np.argsort(-self.score[order], kind="stable")]
        place = np.full(len(self.score), len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        events = np.diff(told.start)

        def some(part: tuple[int, int]) -> Lists:
            histories = told.part(*part)
            # One who has seen s items finds k others among the first k + s.
            width = min(len(order), k + int(events[slice(*part)].max(initial=0)))
            seen = np.zeros((len(histories), width + 1), dtype=np.bool_)
            if without_seen:
                seen[histories.rows(), np.minimum(place[histories.item], width)] = True
            left = ~seen[:, :width]
            left &= np.cumsum(left, axis=1) <= k
            row, at = np.nonzero(left)
            item = order[at].astype(np.int32)
            return unexplained(row + part[0], item, self.score[item], self.n[item])

        cost = np.minimum(k + events, len(order)) + 1
        # A block is as wide as its longest history needs.
        wide = np.full(len(told), int(cost.max(initial=1)))
        return joined(in_parallel(some, blocks(wide)))


def fit(
    told: Interactions,
    as_of: int | None = None,
    half_life: float | None = None,
    by: Grouping = "actor",
) -> Ranking:
    """Return the order of items by how many different actors did something with them.

    With a half-life (days) an actor counts 2^-(age / half_life) by the age at `as_of`
    (microseconds UTC) of the last they did with the item; without, 1.
    """
    last, n = latest(told, by)
    if half_life is None:
        return Ranking(n.astype(np.float64), n)
    if as_of is None:
        raise ValueError("popularity that fades needs the time as of which it is asked")
    return Ranking(faded(last, as_of, half_life, len(told.item_ids)), n)


def latest(told: Interactions, by: Grouping) -> tuple[tuple[Codes, Places], Places]:
    """Return item and time of the last that each actor did with each item; and actors per item."""
    group, _ = told.groups(by)
    chosen = np.flatnonzero(group >= 0)
    items = len(told.item_ids)
    cell = group[chosen].astype(np.int64) * items + told.item[chosen]
    order = np.lexsort((told.at[chosen], cell))
    chosen, cell = chosen[order], cell[order]
    chosen = chosen[changes(cell[::-1])[::-1]]
    n = np.bincount(told.item[chosen], minlength=items).astype(np.int64)
    return (told.item[chosen], told.at[chosen]), n


def faded(last: tuple[Codes, Places], as_of: int, half_life: float, items: int) -> Floats:
    """Return for each item the sum of what is left of its actors after their ages."""
    item, at = last
    if len(at) and at.max() > as_of:
        raise ValueError(f"{int((at > as_of).sum())} interactions are later than as_of")
    left = np.exp2((at - as_of) / (half_life * DAY))
    return np.bincount(item, left, minlength=items).astype(np.float64)
