"""Judge recommenders by a window that they have not seen, and choose which one is published."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow.compute

from analytics.recommendation_lists import BLEND, POPULARITY, learned, told_of
from analytics.recommenders import NOBODY, Interactions, cases, evaluation
from analytics.recommenders.evaluation import SIZES, Figure, Outcome

pc: Any = pyarrow.compute

METRICS = (*evaluation.METRICS, "coverage")
GAIN, DECISIVE = "recall_over_popularity", 20
# Visits and orders: their interval is a few thousandths wide, and more take minutes.
MOST_ASKED = 20_000
# Recommender, metric, k, value, lower and upper end of its 95 % interval.
Row = tuple[str, str, int, float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """How popularity and the blend did, and how often each was asked."""

    asked: int
    rows: tuple[Row, ...]

    @property
    def gain(self) -> tuple[float | None, float | None, float | None]:
        """Return by how much the blend's recall@20 is above popularity's, and the interval."""
        return next(row[3:] for row in self.rows if row[1:3] == (GAIN, DECISIVE))


def lost(rows: Iterable[Sequence[Any]]) -> bool:
    """Return whether, by figures, popularity beat the blend beyond chance."""
    uppers = [row[5] for row in rows if tuple(row[1:3]) == (GAIN, DECISIVE)]
    return any(upper is not None and upper < 0 for upper in uppers)


def judge(rows: Any, begins_at: datetime, ends_at: datetime) -> Judged:
    """Return how what was known before a window foretold what people did in it.

    Asked for is each next new product of a visit, or of an order, that began in the window, by what
    it held up to then. Where there is none, no figure has a value.
    """
    together = pc.coalesce(rows["order_id"], rows["session_id"])
    told = told_of(rows.append_column("together", together), rows["product_id"], "together")
    start, end = _microseconds(begins_at), _microseconds(ends_at)
    wanted = cases.next_items(_some(told, start, end), start, end)
    known = rows.filter(pc.less(rows["occurred_at"], begins_at))
    outcomes = {
        name: evaluation.evaluate(learned(known, rows["product_id"], name).recommender, wanted)
        for name in (POPULARITY, BLEND)
        if len(wanted)
    }
    return Judged(len(wanted), tuple(_rows(outcomes, str(start))))


def _some(told: Interactions, start: int, end: int) -> Interactions:
    """Return the interactions of an even choice of the visits and orders with any in the window."""
    asked = np.unique(cases.within(told, start, end).session)
    asked = asked[asked != NOBODY]
    step = -(-len(asked) // MOST_ASKED) or 1
    return told.where(np.isin(told.session, asked[::step]))


def choose(
    former: str | None, judged: Judged, *, lost_before: bool = False
) -> tuple[str, str, str]:
    """Return the recommender to publish, the status of the choice and why.

    The first version publishes popularity. The blend takes its place in a window in which the
    interval of what it gains lies above 0; in any other, `former` stays. But a blend that loses
    beyond chance, and did so in the last window before (`lost_before`), is withdrawn.
    """
    value, lower, upper = judged.gain
    if value is None or lower is None or upper is None:
        told = "no visit or order of the window held more than one product"
    else:
        told = (
            f"recall@{DECISIVE} of the blend less that of popularity is {value:.4f}"
            f" ({lower:.4f} to {upper:.4f}, asked {judged.asked} times)"
        )
    if former is None:
        return POPULARITY, "baseline", f"the first version publishes popularity; {told}"
    if lower is not None and lower > 0:
        return BLEND, "published", f"the blend beat popularity: {told}"
    if not lost(judged.rows):
        return former, "kept", f"the blend did not beat popularity beyond chance: {told}"
    if former == BLEND and lost_before:
        return POPULARITY, "withdrawn", f"popularity beat the blend, as in the week before: {told}"
    return former, "kept", f"popularity beat the blend: {told}"


def _rows(outcomes: Mapping[str, Outcome], seed: str) -> Iterator[Row]:
    for name in (POPULARITY, BLEND):
        found = evaluation.figures(outcomes[name], seed) if outcomes else []
        yield from _of(name, METRICS, found)
    gained: list[Figure] = []
    if outcomes:
        gained = evaluation.differences(outcomes[BLEND], outcomes[POPULARITY], seed)
    gained = [figure for figure in gained if figure.metric == "recall"]
    yield from ((BLEND, GAIN, *row[2:]) for row in _of(BLEND, ("recall",), gained))


def _of(name: str, metrics: tuple[str, ...], found: list[Figure]) -> Iterator[Row]:
    by_key = {(figure.metric, figure.k): figure for figure in found}
    for metric in metrics:
        for k in SIZES:
            figure = by_key.get((metric, k))
            if figure is None:
                yield name, metric, k, None, None, None
            else:
                ends = (_rounded(figure.lower), _rounded(figure.upper))
                yield name, metric, k, _rounded(figure.value), *ends


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.12g}")


def _microseconds(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
