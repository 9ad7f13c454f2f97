"""V-SKNN equals a plain reading of the published algorithm, session by session."""

import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from analytics.recommenders import Histories, histories, mask, session_knn
from tests.analytics.shops import NOON, Row, named, random_rows, told

# Weight of place i of a session of some length, and what is left after some steps back.
WEIGHTING: dict[str, Callable[[int, int], float]] = {
    "same": lambda _i, _length: 1,
    "linear": lambda i, length: 1 - 0.1 * (length - i) if length - i <= 10 else 0,
    "div": lambda i, length: i / length,
    "quadratic": lambda i, length: (i / length) ** 2,
}
FADING: dict[str, Callable[[int], float]] = {
    "same": lambda _step: 1,
    "linear": lambda step: 1 - 0.1 * step if step <= 10 else 0,
    "div": lambda step: 1 / step,
    "quadratic": lambda step: 1 / (step * step),
}


def published(
    rows: list[Row], session: list[str], sessions: int, neighbours: int, weighting: str, fading: str
) -> dict[str, tuple[float, dict[str, tuple[float, int]]]]:
    """Return score and parts of each item, as Ludewig and Jannach's code comes to them."""
    items_of: defaultdict[str, set[str]] = defaultdict(set)
    ended: dict[str, Any] = {}
    for _, item, name, at, _ in rows:
        if name is not None:
            items_of[name].add(item)
            ended[name] = max(at, ended.get(name, at))
    relevant = [name for name, items in items_of.items() if items & set(session)]
    sample = sorted(relevant, key=lambda name: (-ended[name].timestamp(), name))[:sessions]
    weights: dict[str, float] = {}
    for place, item in enumerate(session, 1):
        weights[item] = WEIGHTING[weighting](place, len(session))
    similar: list[tuple[float, int, str]] = []
    for turn, name in enumerate(sample):
        similarity = sum(weights[item] for item in set(session) & items_of[name]) / len(weights)
        if similarity > 1e-12:
            similar.append((-round(similarity, 12), turn, name))
    parts: defaultdict[str, dict[str, tuple[float, int]]] = defaultdict(dict)
    for minus, _, name in sorted(similar)[:neighbours]:
        for step, item in enumerate(reversed(session), 1):
            if item in items_of[name]:
                gives = -minus * FADING[fading](step)
                for other in items_of[name]:
                    score, n = parts[other].get(item, (0.0, 0))
                    parts[other][item] = (score + gives, n + 1)
                break
    return {item: (sum(s for s, _ in found.values()), found) for item, found in parts.items()}


def asked(sessions: list[list[str]], ids: list[str]) -> Histories:
    start = np.concatenate([[0], np.cumsum([len(session) for session in sessions])])
    item = np.array([ids.index(item) for session in sessions for item in session], dtype=np.int32)
    nobody = np.full(len(sessions), -1, dtype=np.int32)
    return Histories(start, item, np.ones(len(item)), nobody)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fading", list(FADING))
@pytest.mark.parametrize("weighting", list(WEIGHTING))
def test_scores_equal_the_published_algorithm(weighting: Any, fading: Any, seed: int) -> None:
    rows = random_rows(seed, actors=30, items=15, rows=300)
    data = told(rows)
    ids = data.item_ids.to_pylist()
    draw = random.Random(seed)
    wanted = [[draw.choice(ids) for _ in range(draw.randint(1, 9))] for _ in range(12)]
    sessions, neighbours = [(20, 8), (6, 6), (10, 10), (90, 90)][seed]
    model = session_knn.fit(data, "session", sessions, neighbours, weighting, fading)
    found = named(model.recommend(asked(wanted, ids), 100, without_seen=False), data)
    for row, session in enumerate(wanted):
        expected = published(rows, session, sessions, neighbours, weighting, fading)
        expected = {item: told for item, told in expected.items() if told[0] > 1e-12}
        lists = found.get(row, [])
        assert {item: score for item, score, _, _ in lists} == pytest.approx(
            {item: score for item, (score, _) in expected.items()}, abs=1e-11
        )
        assert [score for _, score, _, _ in lists] == sorted((e[1] for e in lists), reverse=True)
        for item, _, reason, n in lists:
            parts = expected[item][1]
            assert parts[str(reason)][0] == pytest.approx(max(s for s, _ in parts.values()))
            assert parts[str(reason)][1] == n


def test_what_was_seen_and_what_is_not_allowed_is_left_out() -> None:
    rows = random_rows(3, actors=30, items=15, rows=300)
    data = told(rows)
    sessions = histories(data, "session")
    allowed = mask(data.item_ids, pa.array(["i1", "i2", "i3"]))
    model = session_knn.fit(data, "session", 20, 8)
    ids = data.item_ids.to_pylist()
    whole = named(model.recommend(sessions, 100, without_seen=False), data)
    for row, entries in named(model.recommend(sessions, 100, allowed), data).items():
        seen = {ids[i] for i in sessions.item[sessions.start[row] : sessions.start[row + 1]]}
        expected = [e for e in whole[row] if e[0] in {"i1", "i2", "i3"} - seen]
        assert [(e[0], e[2], e[3]) for e in entries] == [(e[0], e[2], e[3]) for e in expected]


def test_a_long_session_is_asked_by_its_last_forty_steps() -> None:
    rows: list[Row] = [("a", f"i{n:02}", "s", NOON, 1.0) for n in range(60)]
    rows += [("b", item, "t", NOON, 1.0) for item in ("i00", "early")]
    rows += [("c", item, "u", NOON, 1.0) for item in ("i20", "late")]
    data = told(rows)
    ids = data.item_ids.to_pylist()
    model = session_knn.fit(data)
    found = named(model.recommend(asked([[f"i{n:02}" for n in range(60)]], ids), 10), data)
    assert [(item, reason, n) for item, _, reason, n in found[0]] == [("late", "i20", 1)]
