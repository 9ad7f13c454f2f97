"""How well recommendations meet what people did next, and how far that could be chance.

Of the first k of each list: `recall` is the share of what was wanted that is in it, `precision` the
share of k that was wanted, `mrr` one over the rank of the first hit (0 without one), `ndcg` the
discounted gain 1 / log2(rank + 1) of the hits over that of the best list (Jarvelin, Kekalainen:
Cumulated gain-based evaluation of IR techniques, 2002). All are means over cases. `coverage` is the
share of the items that may be shown that are in the first k of any case.
"""

from dataclasses import dataclass

import numpy as np

from analytics.recommenders.cases import Cases, draws
from analytics.recommenders.interaction import Floats, Mask, Places
from analytics.recommenders.lists import Lists, Recommender

SIZES = (5, 10, 20)
METRICS = ("recall", "precision", "mrr", "ndcg")
# The ends of a 95 % interval then move by a few hundredths of its width from seed to seed.
REPLICATES = 1000
ENDS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure and its 95 % interval, which coverage has not.

    A sample drawn again holds fewer different cases, and so always covers less.
    """

    metric: str
    k: int
    value: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The measures of each case: cases x (metrics x sizes), and the coverage by size."""

    measures: Floats
    drawn: Places
    coverage: tuple[float, ...]


def evaluate(model: Recommender, cases: Cases, allowed: Mask | None = None) -> Outcome:
    """Return what the model's lists are worth for the cases; it must not know their window."""
    return outcome(model.recommend(cases.told, max(SIZES), allowed), cases, allowed)


def outcome(lists: Lists, cases: Cases, allowed: Mask | None = None) -> Outcome:
    """Return what lists, one for each case, are worth."""
    width = cases.wanted.width
    hit = np.isin(lists.row * width + lists.item, cases.wanted.cells())
    row, rank = lists.row[hit], lists.rank[hit].astype(np.int64)
    wanted = cases.wanted.lengths()
    gains = 1 / np.log2(np.arange(max(SIZES)) + 2)
    ideal = np.concatenate([[0], np.cumsum(gains)])
    found: dict[tuple[str, int], Floats] = {}
    for k in SIZES:
        inside = rank <= k
        hits = np.bincount(row[inside], minlength=len(cases))
        first = np.zeros(len(cases))
        np.maximum.at(first, row[inside], 1 / rank[inside])
        gained = np.bincount(row[inside], gains[rank[inside] - 1], minlength=len(cases))
        found["recall", k] = hits / wanted
        found["precision", k] = hits / k
        found["mrr", k] = first
        found["ndcg", k] = gained / ideal[np.minimum(wanted, k)]
    measures = np.stack([found[metric, k] for metric in METRICS for k in SIZES], axis=1)
    may = max(width if allowed is None else int(allowed.sum()), 1)
    shown = [len(np.unique(lists.item[lists.rank <= k])) / may for k in SIZES]
    return Outcome(measures, cases.drawn, tuple(shown))


def figures(result: Outcome, seed: str) -> list[Figure]:
    """Return all measures with their intervals; the same seed gives the same intervals."""
    return [
        *_intervals(result.measures, result.drawn, seed),
        *(
            Figure("coverage", k, share, None, None)
            for k, share in zip(SIZES, result.coverage, strict=True)
        ),
    ]


def differences(result: Outcome, baseline: Outcome, seed: str) -> list[Figure]:
    """Return by how much the first is better on the same cases, with intervals.

    Case by case, which tells more than two intervals side by side: where the lower end is above 0,
    it is better than by chance.
    """
    return _intervals(result.measures - baseline.measures, result.drawn, seed)


def _intervals(measures: Floats, drawn: Places, seed: str) -> list[Figure]:
    names = [(metric, k) for metric in METRICS for k in SIZES]
    if not len(measures):
        return []
    _, who = np.unique(drawn, return_inverse=True)
    count = int(who.max()) + 1
    sums = np.stack([np.bincount(who, column, minlength=count) for column in measures.T], axis=1)
    sizes = np.bincount(who, minlength=count)
    random = draws(seed)
    means = np.empty((REPLICATES, len(names)))
    for replicate in range(REPLICATES):
        times = np.bincount(random.integers(count, size=count), minlength=count)
        means[replicate] = (times @ sums) / (times @ sizes)
    low, high = np.percentile(means, ENDS, axis=0)
    value = measures.mean(axis=0)
    return [
        Figure(metric, k, float(value[at]), float(low[at]), float(high[at]))
        for at, (metric, k) in enumerate(names)
    ]
