"""What holds of every recommender, whatever the interactions."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.recommenders import (
    Interactions,
    Recommender,
    blend,
    histories,
    item_item,
    mask,
    popularity,
    session_knn,
    trending,
    user_user,
)
from tests.analytics.shops import NOON, Row, named, random_rows, told

AS_OF = int(NOON.timestamp()) * 1_000_000
FITS: dict[str, Callable[[Interactions], Recommender]] = {
    "popularity": lambda data: popularity.fit(data, AS_OF, 14),
    "trending": lambda data: trending.fit(data, AS_OF),
    "cosine": lambda data: item_item.fit(data, "session"),
    "llr": lambda data: item_item.fit(data, "actor", "llr"),
    "session_knn": lambda data: session_knn.fit(data, "session", 30, 10),
    "user_user": lambda data: user_user.fit(data, 5, 1),
    "blend": lambda data: blend.Blend(
        ((item_item.fit(data), 0.6), (session_knn.fit(data), 0.3), (popularity.fit(data), 0.1))
    ),
}
SHOPS = st.builds(
    random_rows,
    st.integers(0, 10_000),
    actors=st.integers(1, 10),
    items=st.integers(1, 12),
    rows=st.integers(1, 80),
)


@pytest.mark.parametrize("kind", list(FITS))
@settings(max_examples=12, deadline=None, derandomize=True)
@given(rows=SHOPS, seed=st.integers(0, 100))
def test_every_recommender(kind: str, rows: list[Row], seed: int) -> None:
    draw = random.Random(seed)
    data = told(rows)
    names = data.item_ids.to_pylist()
    allowed = {name for name in names if draw.random() < 0.7}
    may = mask(data.item_ids, pa.array(sorted(allowed), pa.string()))
    model = FITS[kind](data)
    everything = np.arange(len(names), dtype=np.int32)
    related = named(model.related(everything, 5, may), data)
    for code, entries in related.items():
        assert {entry[0] for entry in entries} <= allowed - {names[code]}
    everybody = histories(data, "actor")
    people = named(model.recommend(everybody, 5, may), data)
    for row, entries in people.items():
        had = {names[i] for i in everybody.item[everybody.start[row] : everybody.start[row + 1]]}
        items = [entry[0] for entry in entries]
        scores = [entry[1] for entry in entries]
        assert set(items) <= allowed - had
        assert len(set(items)) == len(items) <= 5
        assert scores == sorted(scores, reverse=True)
        assert all(entry[2] is None or entry[2] in had for entry in entries)
        assert all(entry[3] > 0 for entry in entries)

    shuffled = list(rows)
    draw.shuffle(shuffled)
    again = told(shuffled)
    assert named(FITS[kind](again).related(everything, 5, may), again) == related
    same = FITS[kind](again).recommend(histories(again, "actor"), 5, may)
    assert named(same, again) == people


@settings(max_examples=25, deadline=None, derandomize=True)
@given(rows=SHOPS, measure=st.sampled_from(["cosine", "llr"]))
def test_similarity_is_the_same_both_ways_and_another_pair_never_lowers_a_count(
    rows: list[Row], measure: Any
) -> None:
    data = told(rows)
    model = item_item.fit(data, "actor", measure)
    cells = dict(zip(model.similar.cells().tolist(), model.similar.value.tolist(), strict=True))
    counts = dict(zip(model.similar.cells().tolist(), model.both.tolist(), strict=True))
    width = model.similar.width
    for cell, value in cells.items():
        a, b = divmod(cell, width)
        assert a != b
        assert cells[b * width + a] == value
        assert counts[b * width + a] == counts[cell]

    plain = item_item.fit(data, "actor")
    before = dict(zip(plain.similar.cells().tolist(), plain.both.tolist(), strict=True))
    names = data.item_ids.to_pylist()
    more = told([*rows, *(("another", name, None, NOON, 1.0) for name in (names[0], names[-1]))])
    after = item_item.fit(more, "actor")
    found = dict(zip(after.similar.cells().tolist(), after.both.tolist(), strict=True))
    pair = {len(names) - 1, (len(names) - 1) * width} if len(names) > 1 else set[int]()
    for cell in before.keys() | pair:
        assert found[cell] == before.get(cell, 0) + (cell in pair)
