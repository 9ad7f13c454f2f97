"""The measures equal hand-worked ones and a plain loop, and nothing of the window is learned."""

import math
import random
from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np
import pytest

from analytics.recommenders import Interactions, Lists, item_item, popularity, session_knn
from analytics.recommenders import cases as windows
from analytics.recommenders.evaluation import Outcome, differences, evaluate, figures, outcome
from analytics.recommenders.lists import unexplained
from tests.analytics.shops import NOON, Row, told

MINUTE = timedelta(minutes=1)
START = NOON - timedelta(minutes=20_000)


def micro(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def lists_of(entries: list[list[int]]) -> Lists:
    row = np.array([row for row, items in enumerate(entries) for _ in items], dtype=np.int64)
    item = np.array([item for items in entries for item in items], dtype=np.int32)
    return unexplained(row, item, np.ones(len(row)), np.ones(len(row), dtype=np.int64))


def of(result: Outcome, metric: str, k: int) -> float:
    return next(f.value for f in figures(result, "s") if (f.metric, f.k) == (metric, k))


def test_measures_of_two_cases_worked_by_hand() -> None:
    """Case one wants x and y and is shown b, x, c, d, e, y; case two wants z and is shown x."""
    rows: list[Row] = [(who, "a", None, START - MINUTE, 1.0) for who in ("one", "two")]
    rows += [("one", item, "o1", START, 1.0) for item in ("x", "y")]
    rows += [("two", "z", "o2", START, 1.0)]
    data = told(rows, ["b", "c", "d", "e"])
    found = windows.next_orders(data, micro(START), micro(NOON))
    code = {item: place for place, item in enumerate(data.item_ids.to_pylist())}
    shown = [[code[item] for item in items] for items in ("bxcdey", "x")]
    result = outcome(lists_of(shown), found)
    best = 1 + 1 / math.log2(3)
    expected = {
        ("recall", 5): (1 / 2 + 0) / 2,
        ("recall", 10): (2 / 2 + 0) / 2,
        ("precision", 5): (1 / 5 + 0) / 2,
        ("precision", 20): (2 / 20 + 0) / 2,
        ("mrr", 5): (1 / 2 + 0) / 2,
        ("ndcg", 5): (1 / math.log2(3) / best + 0) / 2,
        ("ndcg", 10): ((1 / math.log2(3) + 1 / math.log2(7)) / best + 0) / 2,
        ("coverage", 5): 5 / 8,
        ("coverage", 20): 6 / 8,
    }
    got = {key: of(result, *key) for key in expected}
    assert got == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_measures_equal_a_plain_loop(seed: int) -> None:
    draw = random.Random(seed)
    items, people = 30, 25
    rows: list[Row] = [(f"a{n}", "start", None, START - MINUTE, 1.0) for n in range(people)]
    wanted = [set(draw.sample(range(items), draw.randint(1, 25))) for _ in range(people)]
    for n, codes in enumerate(wanted):
        rows += [(f"a{n}", f"i{code:02}", f"o{n}", START, 1.0) for code in codes]
    data = told(rows, [f"i{code:02}" for code in range(items)])
    found = windows.next_orders(data, micro(START), micro(NOON))
    shown = [draw.sample(range(items), draw.randint(0, 22)) for _ in range(people)]
    order = sorted(range(people), key=lambda n: f"a{n}")  # cases stand in the order of actors
    result = outcome(lists_of([shown[n] for n in order]), found)
    for k in (5, 10, 20):
        sums: defaultdict[str, list[float]] = defaultdict(list)
        covered: set[int] = set()
        for want, seen in zip(wanted, shown, strict=True):
            top = seen[:k]
            covered |= set(top)
            hits = [rank for rank, item in enumerate(top, 1) if item in want]
            best = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(want), k) + 1))
            sums["recall"].append(len(hits) / len(want))
            sums["precision"].append(len(hits) / k)
            sums["mrr"].append(1 / hits[0] if hits else 0)
            sums["ndcg"].append(sum(1 / math.log2(rank + 1) for rank in hits) / best)
        for metric, values in sums.items():
            assert of(result, metric, k) == pytest.approx(sum(values) / people, abs=1e-12)
        assert of(result, "coverage", k) == pytest.approx(len(covered) / (items + 1), abs=1e-12)


def test_intervals_hold_the_mean_as_often_as_the_normal_ones_and_repeat() -> None:
    draw = np.random.Generator(np.random.PCG64(5))
    hits = (draw.random((400, 1)) < 0.3).astype(np.float64)
    measures = np.repeat(hits, 12, axis=1).astype(np.float64)
    result = Outcome(measures, np.arange(400), (0.5, 0.5, 0.5))
    first = figures(result, "seed")[0]
    deviation = 1.96 * math.sqrt(first.value * (1 - first.value) / 400)
    assert first.lower == pytest.approx(first.value - deviation, abs=deviation / 6)
    assert first.upper == pytest.approx(first.value + deviation, abs=deviation / 6)
    assert figures(result, "seed")[0] == first
    # Cases of one session say no more than one of them: the interval is as wide.
    again = Outcome(
        np.repeat(measures, 9, axis=0).astype(np.float64), np.repeat(np.arange(400), 9), (0.5,) * 3
    )
    assert figures(again, "seed")[0].lower == pytest.approx(first.lower, abs=1e-12)
    nothing = differences(result, result, "seed")[0]
    assert (nothing.value, nothing.lower, nothing.upper) == (0, 0, 0)


def test_next_items_are_asked_for_with_the_session_up_to_then() -> None:
    def step(session: str, item: str, minute: int) -> Row:
        return (session, item, session, START + minute * MINUTE, 1.0)

    rows = [step("s", item, minute) for minute, item in enumerate("abacb")]
    rows += [step("going on", item, minute - 1) for minute, item in enumerate("abc")]
    rows += [step("one item", "a", 3), step("one item", "a", 4)]
    rows += [step("too late", item, 30_000 + minute) for minute, item in enumerate("ab")]
    data = told(rows)
    found = windows.next_items(data, micro(START), micro(NOON))
    ids = data.item_ids.to_pylist()
    asked = [
        (
            "".join(ids[item] for item in found.told.part(case, case + 1).item),
            "".join(ids[item] for item in found.wanted.part(case, case + 1).column),
        )
        for case in range(len(found))
    ]
    assert asked == [("a", "b"), ("aba", "c")]
    assert found.drawn[0] == found.drawn[1]
    known = windows.before(data, micro(START))
    assert known.at.max() < micro(START)
    assert len(known.at) == 1


def test_the_first_order_of_the_window_is_asked_for_with_what_was_known_before() -> None:
    rows: list[Row] = [
        ("ann", "a", "1", START - 2 * MINUTE, 1.0),
        ("ann", "b", "2", START - MINUTE, 1.0),
        ("ann", "b", "3", START, 1.0),
        ("ann", "c", "3", START, 1.0),
        ("ann", "d", "4", START + MINUTE, 1.0),
        ("new", "a", "5", START, 1.0),
        ("again", "a", "6", START - MINUTE, 1.0),
        ("again", "a", "7", START, 1.0),
    ]
    data = told(rows)
    found = windows.next_orders(data, micro(START), micro(NOON))
    ids = data.item_ids.to_pylist()
    assert [ids[item] for item in found.told.item] == ["a", "b"]
    assert [ids[item] for item in found.wanted.column] == ["c"]
    assert [data.actor_ids.to_pylist()[actor] for actor in found.told.actor] == ["ann"]


def themed(seed: int) -> Interactions:
    """Return sessions of one theme each, of six items of which each session sees four."""
    draw = random.Random(seed)
    rows: list[Row] = []
    for session in range(500):
        theme = draw.randrange(8)
        at = NOON - timedelta(minutes=draw.randrange(100_000))
        for place, item in enumerate(draw.sample(range(6), 4)):
            rows.append((f"s{session}", f"{theme}-{item}", f"s{session}", at + place * MINUTE, 1.0))
    return told(rows)


def advantage(data: Interactions, known: Interactions, kind: str) -> tuple[float, float]:
    """Return by how much, at least and at most, a recommender's recall@5 is above popularity's."""
    found = windows.next_items(data, micro(START), micro(NOON))
    fitted = item_item.fit(known, "session") if kind == "item_item" else session_knn.fit(known)
    baseline = evaluate(popularity.fit(known, by="session"), found)
    better = differences(evaluate(fitted, found), baseline, "s")[0]
    assert better.lower is not None
    assert better.upper is not None
    return better.lower, better.upper


@pytest.mark.parametrize("kind", ["item_item", "session_knn"])
def test_with_times_shuffled_the_advantage_over_popularity_falls_away(kind: str) -> None:
    data = themed(1)
    assert advantage(data, windows.before(data, micro(START)), kind)[0] > 0.3
    dealt = windows.shuffled(data, "deal")
    assert sorted(dealt.item) == sorted(data.item)
    lower, upper = advantage(dealt, windows.before(dealt, micro(START)), kind)
    assert lower <= 0
    assert upper < 0.1
    # One who has seen the window keeps it: that is how a leak shows.
    assert advantage(dealt, dealt, kind)[0] > 0.03
