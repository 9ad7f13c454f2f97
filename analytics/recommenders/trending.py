"""What is wanted more, or less, than it used to be."""

from dataclasses import dataclass

import numpy as np

from analytics.recommenders.history import Histories
from analytics.recommenders.interaction import Codes, Floats, Interactions, Mask, Places
from analytics.recommenders.lists import Lists
from analytics.recommenders.popularity import Ranking, faded, latest

HALF_LIFE = 7.0  # days: a fashion that lasts a week is seen in it
BASELINE = 56.0  # days: two months back weigh half, so that a week more or less moves it little


@dataclass(frozen=True, slots=True)
class Trends:
    """How each item does of late, against its own baseline.

    `recent` are its actors, faded with the short half-life; `expected` what would be left of all
    items' recent actors for one with its share under the long half-life: a day on which everything
    sells lifts nothing. `score` is (recent - expected) / sqrt(expected + 1), which keeps two clicks
    on what nobody ever clicked from topping the list: above 0 rises, below 0 falls. It is an order
    and no significance.
    """

    recent: Floats
    expected: Floats
    score: Floats
    n: Places

    def related(self, items: Codes, k: int, allowed: Mask | None = None) -> Lists:
        """Return up to k other items for each item: those that rise most."""
        return Ranking(self.score, self.n).related(items, k, allowed)

    def recommend(
        self,
        told: Histories,
        k: int,
        allowed: Mask | None = None,
        *,
        without_seen: bool = True,
    ) -> Lists:
        """Return up to k items for each history: those that rise most."""
        ranking = Ranking(self.score, self.n)
        return ranking.recommend(told, k, allowed, without_seen=without_seen)


def fit(
    told: Interactions, as_of: int, half_life: float = HALF_LIFE, baseline: float = BASELINE
) -> Trends:
    """Return how each item does at `as_of` (microseconds UTC); half-lives are in days.

    An actor counts once for an item, by the last they did with it: nobody makes a trend alone.
    """
    last, n = latest(told, "actor")
    recent = faded(last, as_of, half_life, len(n))
    long = faded(last, as_of, baseline, len(n))
    expected = np.zeros(len(n))
    if long.sum() > 0:
        expected = recent.sum() * long / long.sum()
    return Trends(recent, expected, (recent - expected) / np.sqrt(expected + 1), n)
