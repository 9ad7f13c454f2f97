"""Likelihood ratios, likeness of people, trends and blends equal hand-worked and plain ones."""

import math
from collections import defaultdict
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from analytics.recommenders import (
    blend,
    histories,
    item_item,
    popularity,
    trending,
    user_user,
)
from tests.analytics.shops import NOON, Row, named, random_rows, told
from tests.published_ratios import MAHOUT

AS_OF = int(NOON.timestamp()) * 1_000_000


@pytest.mark.parametrize(("table", "published"), MAHOUT)
def test_likelihood_ratios_are_those_that_mahout_tests_for(
    table: tuple[int, int, int, int], published: float
) -> None:
    """LogLikelihoodTest of apache/mahout, after T. Dunning."""
    both, a_only, b_only, _neither = table
    n_ab, n_a, n_b = (np.array([count]) for count in (both, both + a_only, both + b_only))
    root = item_item.root_llr(n_ab, n_a, n_b, sum(table))
    assert root.tolist() == pytest.approx([math.sqrt(published)], rel=1e-6)


def test_likelihood_ratios_of_counts_beyond_32_bits_and_below_chance() -> None:
    big = np.array([3_000_000_000])
    assert item_item.root_llr(big, big * 2, big * 2, 40_000_000_000)[0] > 0
    one, many = np.array([1]), np.array([50])
    assert item_item.root_llr(one, many, many, 100).tolist() == [0]


@pytest.mark.parametrize("seed", range(4))
def test_neighbours_and_what_they_have_equal_plain_loops(seed: int) -> None:
    rows = random_rows(seed, actors=14, items=12, rows=70)
    data = told(rows)
    having: defaultdict[str, set[str]] = defaultdict(set)
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for actor, item, *_ in rows:
        having[actor].add(item)
        owners[item].add(actor)
    telling = {item for item, actors in owners.items() if len(actors) <= 6}
    model = user_user.fit(data, neighbours=4, at_least=2, most_actors=6)
    assert model.left_out == len(owners) - len(telling)
    ids = data.actor_ids.to_pylist()
    near: dict[str, list[tuple[float, str, int]]] = {}
    for a in having:
        alike: list[tuple[float, str, int]] = []
        for b in having:
            mine, theirs = having[a] & telling, having[b] & telling
            if a != b and (n := len(mine & theirs)) >= 2:
                alike.append((-n / math.sqrt(len(mine) * len(theirs)), b, n))
        near[a] = sorted(alike)[:4]
    lists = model.alike(np.arange(len(ids), dtype=np.int32), 4)
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row, actor, score, n in zip(lists.row, lists.item, lists.score, lists.n, strict=True):
        found[ids[row]].append((pytest.approx(-score, abs=1e-12), ids[actor], int(n)))
    assert found == {actor: alike for actor, alike in near.items() if alike}

    recommended = named(model.recommend(histories(data, "actor"), 3), data)
    for row, actor in enumerate(ids):
        scores: defaultdict[str, list[float]] = defaultdict(list)
        for minus, other, _ in near[actor]:
            for item in having[other] - having[actor]:
                scores[item].append(-minus)
        order = sorted(scores, key=lambda item: (-round(sum(scores[item]), 12), item))[:3]
        assert recommended.get(row, []) == [
            (item, pytest.approx(sum(scores[item]), abs=1e-12), None, len(scores[item]))
            for item in order
        ]


def test_a_trend_is_more_than_an_items_own_share() -> None:
    """Worked by hand: 2 recent of old and 2 of new; long 2 + 4 / 4 of old, 2 of new."""
    rows: list[Row] = [(f"n{n}", "new", None, NOON, 1.0) for n in range(2)]
    rows += [(f"o{n}", "old", None, NOON, 1.0) for n in range(2)]
    rows += [(f"p{n}", "old", None, NOON - timedelta(days=20), 1.0) for n in range(4)]
    trends = trending.fit(told(rows), AS_OF, half_life=1, baseline=10)
    faded = 4 * 2**-20
    recent = [2, 2 + faded]
    expected = [sum(recent) * 2 / 5, sum(recent) * 3 / 5]
    assert trends.recent.tolist() == pytest.approx(recent, abs=1e-12)
    assert trends.expected.tolist() == pytest.approx(expected, abs=1e-12)
    assert trends.score.tolist() == pytest.approx(
        [(r - e) / math.sqrt(e + 1) for r, e in zip(recent, expected, strict=True)], abs=1e-12
    )
    data = told(rows)
    found = named(trends.recommend(histories(data, "actor"), 5), data)
    # Who has the rising item gets nothing: the other falls.
    assert {row: [entry[0] for entry in entries] for row, entries in found.items()} == {
        row: ["new"] for row, actor in enumerate(data.actor_ids.to_pylist()) if actor[0] != "n"
    }


@pytest.mark.parametrize("by", ["rank", "score"])
def test_a_blend_adds_up_what_its_parts_say(by: Any) -> None:
    rows = random_rows(5, actors=12, items=10, rows=60)
    data = told(rows)
    similar, popular = item_item.fit(data), popularity.fit(data)
    everybody = histories(data, "actor")
    found = blend.Blend(((similar, 0.7), (popular, 0.3)), by).recommend(everybody, 4)
    parts = [named(part.recommend(everybody, 50), data) for part in (similar, popular)]
    lists = named(found, data)
    for row in range(len(everybody)):
        scores: defaultdict[str, float] = defaultdict(float)
        why: dict[str, tuple[str | None, int]] = {}
        for entries, weight in zip(parts, (0.7, 0.3), strict=True):
            for place, (item, score, reason, n) in enumerate(entries.get(row, []), 1):
                says = 1 / (60 + place) if by == "rank" else score / entries[row][0][1]
                scores[item] += weight * says
                why.setdefault(item, (reason, n))
        order = sorted(scores, key=lambda item: (-round(scores[item], 12), item))[:4]
        assert lists.get(row, []) == [
            (item, pytest.approx(scores[item], abs=1e-12), *why[item]) for item in order
        ]
    assert set(found.source.tolist()) <= {0, 1}
    assert (found.source[found.reason >= 0] == 0).all()
