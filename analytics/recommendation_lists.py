"""What a shop shows beside a product and to a customer, and whose taste is like whose.

Made of `recommendation.interactions` as an arrow table, in batches of arrow: a list of 20 for each
of 500,000 customers is never held whole. Scores are rounded to 12 significant digits before they
are ranked; equal ones stand in the order of the products' ids.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from analytics.recommenders import (
    NOBODY,
    Interactions,
    Lists,
    Recommender,
    histories,
    interactions,
    item_item,
    mask,
    places,
    popularity,
    user_user,
)
from analytics.recommenders.blend import Blend

pc: Any = pyarrow.compute
Places = npt.NDArray[np.int64]

SHOWN = 20
POPULARITY, BLEND = "popularity", "blend"
# How each part of the blend explains a product, and its weight. Popularity only fills lists up: its
# first place says less than the 50th of the others.
PARTS = (("bought_together", 1.0), ("viewed_together", 1.0), ("popular", 0.1))
POPULAR = len(PARTS) - 1
# Baskets and visits with more different products say nothing about what goes together.
MOST_ITEMS = 200
# So many lists at a time: 25,000 of half a million interactions took 0.4 GB beside these.
BLOCK = 20_000

RELATED = pa.schema(
    [
        *(("product_id", pa.string()), ("rank", pa.int64()), ("related_product_id", pa.string())),
        *(("score", pa.float64()), ("reason_kind", pa.string()), ("n", pa.int64())),
        ("recommender", pa.string()),
    ]
)
NEIGHBOURS = pa.schema(
    [
        *(("customer_id", pa.string()), ("rank", pa.int64())),
        *(("other_customer_id", pa.string()), ("score", pa.float64()), ("n", pa.int64())),
    ]
)
RECOMMENDED = pa.schema(
    [
        *(("customer_id", pa.string()), ("rank", pa.int64()), ("product_id", pa.string())),
        *(("score", pa.float64()), ("reason_product_id", pa.string())),
        *(("reason_kind", pa.string()), ("n", pa.int64()), ("recommender", pa.string())),
    ]
)


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned of interactions, and all of these under one set of codes."""

    told: Interactions
    recommender: Recommender
    name: str


def learned(rows: Any, catalogue: Any, name: str) -> Learned:
    """Return the recommender of this name, made of these interactions.

    `catalogue` names the products that may have none.
    """
    items = pc.unique(pa.concat_arrays([_text(rows["product_id"]), _text(catalogue)]))
    told = told_of(rows, items)
    popular = popularity.fit(told)
    if name == POPULARITY:
        return Learned(told, popular, name)
    is_bought = pc.equal(rows["kind"], "purchase")
    bought = told_of(rows.filter(is_bought), items, "order_id")
    viewed = told_of(rows.filter(pc.invert(is_bought)), items)
    fitted = (
        item_item.fit(bought, by="session", most_items=MOST_ITEMS),
        item_item.fit(viewed, by="session", most_items=MOST_ITEMS),
        popular,
    )
    weights = (weight for _, weight in PARTS)
    return Learned(told, Blend(tuple(zip(fitted, weights, strict=True))), name)


def told_of(rows: Any, catalogue: Any, session: str = "session_id") -> Interactions:
    """Return interactions as arrays; the codes of products are those of all in the catalogue."""
    return interactions(
        rows["actor_key"],
        rows["product_id"],
        rows["occurred_at"],
        rows[session],
        rows["weight"],
        catalogue,
    )


def related(known: Learned, products: Any) -> Iterator[Any]:
    """Yield up to 20 other products for each one of the catalogue, of recommendable ones only."""
    ids = known.told.item_ids
    allowed = _allowed(known.told, products)
    items = np.sort(places(ids, products["product_id"]))
    for first in range(0, len(items), BLOCK):
        some = items[first : first + BLOCK]
        found = _ranked(known.recommender.related(some, SHOWN, allowed))
        yield _batch(
            RELATED,
            ids.take(pa.array(some[found.row])),
            found.rank,
            ids.take(pa.array(found.item)),
            found.score,
            *_explained(known, found),
        )


def neighbours(rows: Any) -> Iterator[Any]:
    """Yield up to 20 customers for each, who did something with the same products."""
    rows = rows.filter(pc.is_valid(rows["customer_id"]))
    told = interactions(rows["customer_id"], rows["product_id"], rows["occurred_at"])
    alike = user_user.fit(told)
    ids = told.actor_ids
    for first in range(0, len(ids), BLOCK):
        some = np.arange(first, min(first + BLOCK, len(ids)), dtype=np.int32)
        found = _ranked(alike.alike(some, SHOWN))
        yield _batch(
            NEIGHBOURS,
            ids.take(pa.array(some[found.row])),
            found.rank,
            ids.take(pa.array(found.item)),
            found.score,
            found.n,
        )


def recommended(
    known: Learned,
    rows: Any,
    products: Any,
    excluded: Any,
    *,
    again: bool,
) -> Iterator[Any]:
    """Yield up to 20 products for each customer who did something, of recommendable ones only.

    Never one of those `excluded` (customer_id, product_id) for them, and only where `again` one
    that they have done something with before.
    """
    told, ids = known.told, known.told.item_ids
    allowed = _allowed(told, products)
    customers, actors = _customers(rows, told)
    barred = _cells(places(customers, excluded["customer_id"]), excluded["product_id"], ids)
    for first in range(0, len(customers), BLOCK):
        last = min(first + BLOCK, len(customers))
        asked = histories(told, "actor", actors[first:last])
        mine = barred[(barred >= first * len(ids)) & (barred < last * len(ids))]
        mine -= first * len(ids)
        seen = asked.rows() * len(ids) + asked.item
        # As many more are asked for as may have to be left out again.
        new = mine if again else np.setdiff1d(mine, seen)
        more = int(np.bincount(new // len(ids), minlength=1).max(initial=0))
        found = known.recommender.recommend(asked, SHOWN + more, allowed, without_seen=not again)
        found = _ranked(found, ~np.isin(found.row * len(ids) + found.item, new))
        yield _batch(
            RECOMMENDED,
            customers.take(pa.array(found.row + first)),
            found.rank,
            ids.take(pa.array(found.item)),
            found.score,
            ids.take(pa.array(found.reason, mask=found.reason == NOBODY)),
            *_explained(known, found),
        )


def _customers(rows: Any, told: Interactions) -> tuple[Any, npt.NDArray[np.int32]]:
    """Return the customers in their order, and the code of each as an actor."""
    known = rows.select(["customer_id", "actor_key"]).filter(pc.is_valid(rows["customer_id"]))
    known = known.group_by("customer_id").aggregate([("actor_key", "min")])
    known = known.sort_by("customer_id")
    return _text(known["customer_id"]), places(told.actor_ids, known["actor_key_min"])


def _allowed(told: Interactions, products: Any) -> npt.NDArray[np.bool_]:
    return mask(told.item_ids, products["product_id"].filter(products["is_recommendable"]))


def _cells(rows: npt.NDArray[np.int32], products: Any, ids: Any) -> Places:
    """Return (row, product) as numbers in their order, of those that are both known."""
    items = places(ids, products)
    both = (rows >= 0) & (items >= 0)
    return np.unique(rows[both].astype(np.int64) * len(ids) + items[both])


def _ranked(found: Lists, kept: npt.NDArray[np.bool_] | None = None) -> Lists:
    """Return the kept entries by their rounded scores, up to 20 in a list."""
    score = rounded(found.score)
    order = np.lexsort((found.item, -score, found.row))
    if kept is not None:
        order = order[kept[order]]
    row = found.row[order]
    place = np.arange(len(row)) - np.searchsorted(row, row) + 1
    order, place = order[place <= SHOWN], place[place <= SHOWN]
    return Lists(
        found.row[order],
        place.astype(np.int32),
        found.item[order],
        score[order],
        found.reason[order],
        found.n[order],
        found.source[order],
    )


def rounded(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the values with 12 significant digits, by which tables are compared."""
    different, place = np.unique(values, return_inverse=True)
    return np.array([float(f"{value:.12g}") for value in different], dtype=np.float64)[place]


def _explained(known: Learned, found: Lists) -> tuple[Any, Any, Any]:
    """Return how the recommender explains each entry, the number of witnesses, and its name."""
    source = np.full(len(found), POPULAR) if known.name == POPULARITY else found.source
    kinds = pa.array([kind for kind, _ in PARTS]).take(pa.array(source))
    return kinds, found.n, pa.array([known.name] * len(found), pa.string())


def _batch(schema: Any, *columns: Any) -> Any:
    arrays: Sequence[Any] = [
        (column if isinstance(column, pa.Array) else pa.array(column)).cast(field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _text(column: Any) -> Any:
    text = column.cast(pa.large_string())
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
