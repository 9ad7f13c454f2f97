"""What goes with what equals plain loops over random shops, whatever the order of the rows."""

import math
from collections import defaultdict
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from analytics.recommenders import histories, interactions, item_item, mask, popularity
from analytics.recommenders import places as codes_of
from tests.analytics.shops import NOON, Row, named, random_rows, told


def cosines(rows: list[Row], column: int) -> dict[tuple[str, str], tuple[float, int]]:
    """Return similarity and n of each ordered pair, counted in sets."""
    having: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if (group := row[column]) is not None:
            having[row[1]].add(str(group))
    return {
        (a, b): (len(having[a] & having[b]) / math.sqrt(len(having[a]) * len(having[b])), n)
        for a in having
        for b in having
        if a != b and (n := len(having[a] & having[b]))
    }


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("by", "column"), [("actor", 0), ("session", 2)])
def test_related_items_equal_a_plain_count_of_sets(seed: int, by: Any, column: int) -> None:
    rows = random_rows(seed)
    data = told(rows)
    found = named(item_item.fit(data, by).related(np.arange(9, dtype=np.int32), 4), data)
    pairs = cosines(rows, column)
    for code, item in enumerate(data.item_ids.to_pylist()):
        similar = [(-score, b, n) for (a, b), (score, n) in pairs.items() if a == item]
        expected = [(b, pytest.approx(-s, abs=1e-12), item, n) for s, b, n in sorted(similar)[:4]]
        assert found.get(code, []) == expected


@pytest.mark.parametrize("seed", range(5))
def test_people_get_what_is_like_what_they_had_and_the_item_that_brought_most(seed: int) -> None:
    rows = random_rows(seed, rows=40)
    data = told(rows)
    allowed = ["i0", "i2", "i3", "i5", "i7"]
    model = item_item.fit(data)
    found = named(
        model.recommend(histories(data, "actor"), 3, mask(data.item_ids, pa.array(allowed))), data
    )
    pairs = cosines(rows, 0)
    for code, actor in enumerate(data.actor_ids.to_pylist()):
        strongest: defaultdict[str, float] = defaultdict(float)
        for who, item, _, _, weight in rows:
            if who == actor:
                strongest[item] = max(strongest[item], weight)
        expected: list[Any] = []
        for item in allowed:
            parts = {
                had: (weight * pairs[had, item][0], pairs[had, item][1])
                for had, weight in sorted(strongest.items())
                if (had, item) in pairs
            }
            if item not in strongest and parts:
                reason = max(parts, key=lambda had: parts[had][0])
                score = sum(part for part, _ in parts.values())
                expected.append((item, pytest.approx(score, abs=1e-12), reason, parts[reason][1]))
        expected.sort(key=lambda entry: (-round(entry[1].expected, 12), entry[0]))
        assert found.get(code, []) == expected[:3]


@pytest.mark.parametrize("seed", range(5))
def test_popularity_counts_actors_once_and_shows_nobody_what_they_had(seed: int) -> None:
    rows = random_rows(seed, rows=40)
    data = told(rows, [f"i{n}" for n in range(12)])
    found = named(popularity.fit(data).recommend(histories(data, "actor"), 3), data)
    people: defaultdict[str, set[str]] = defaultdict(set)
    for actor, item, *_ in rows:
        people[item].add(actor)
    order = sorted(people, key=lambda item: (-len(people[item]), item))
    for code, actor in enumerate(data.actor_ids.to_pylist()):
        left = [item for item in order if actor not in people[item]][:3]
        assert found.get(code, []) == [(i, len(people[i]), None, len(people[i])) for i in left]


def test_popularity_that_fades_halves_an_actor_after_the_half_life() -> None:
    rows: list[Row] = [
        ("a", "old", None, NOON - timedelta(days=14), 1.0),
        ("b", "old", None, NOON - timedelta(days=14), 1.0),
        ("c", "old", None, NOON - timedelta(days=7), 1.0),
        ("c", "old", None, NOON - timedelta(days=21), 1.0),
        ("d", "new", None, NOON, 1.0),
    ]
    data = told(rows)
    as_of = int(NOON.timestamp()) * 1_000_000
    ranking = popularity.fit(data, as_of, half_life=7)
    assert ranking.score.tolist() == pytest.approx([1, 0.25 + 0.25 + 0.5], abs=1e-12)
    assert ranking.n.tolist() == [1, 3]
    with pytest.raises(ValueError, match="1 interactions are later than as_of"):
        popularity.fit(data, as_of - 1, half_life=7)


def test_a_group_with_too_many_items_makes_no_pairs_and_is_counted() -> None:
    rows: list[Row] = [("reseller", f"i{n}", None, NOON, 1.0) for n in range(5)]
    rows += [("a", "i0", None, NOON, 1.0), ("a", "i1", None, NOON, 1.0)]
    data = told(rows)
    model = item_item.fit(data, most_items=4)
    assert model.left_out == 1
    assert named(model.related(np.arange(5, dtype=np.int32), 5), data) == {
        0: [("i1", 1.0, "i0", 1)],
        1: [("i0", 1.0, "i1", 1)],
    }


def test_pairs_below_the_support_are_not_related() -> None:
    rows: list[Row] = [(actor, item, None, NOON, 1.0) for actor in "ab" for item in ("x", "y")]
    rows.append(("a", "z", None, NOON, 1.0))
    data = told(rows)
    found = named(
        item_item.fit(data, at_least=2).related(codes_of(data.item_ids, pa.array(["x"])), 5), data
    )
    assert found == {0: [("y", 1.0, "x", 2)]}


def test_nothing_gives_empty_lists() -> None:
    data = told([], ["x"])
    nobody = histories(data, "actor")
    assert not len(item_item.fit(data).related(np.zeros(1, np.int32), 5))
    assert not len(popularity.fit(data).recommend(nobody, 5))


def test_bad_rows_are_told() -> None:
    with pytest.raises(ValueError, match="1 interactions have no item"):
        interactions(pa.array(["a"]), pa.array([None], pa.string()), pa.array([NOON]))
    with pytest.raises(ValueError, match="1 interactions have a weight not above 0"):
        told([("a", "x", None, NOON, 0.0)])
