"""Lists of products and of people: only what may be shown, in a fixed order, with its reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from analytics import recommendation_lists as lists
from analytics.recommendation_lists import BLEND, POPULARITY

Row = dict[str, Any]
START = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = pa.schema(
    [
        *((name, pa.string()) for name in ("kind", "actor_key", "customer_id", "session_id")),
        *((name, pa.string()) for name in ("order_id", "product_id")),
        *(("occurred_at", pa.timestamp("us", "UTC")), ("weight", pa.float64())),
    ]
)


def done(who: str, where: str, *products: str, kind: str = "view", day: int = 0) -> list[Row]:
    """Return what a customer (c…) or visitor did with products in one visit or order."""
    return [
        {
            "kind": kind,
            "actor_key": who,
            "customer_id": who if who.startswith("c") else None,
            "session_id": None if kind == "purchase" else where,
            "order_id": where if kind == "purchase" else None,
            "product_id": product,
            "occurred_at": START + timedelta(days=day, minutes=minute),
            "weight": 1.0,
        }
        for minute, product in enumerate(products)
    ]


def table(*parts: list[Row]) -> pa.Table:
    return pa.Table.from_pylist([row for part in parts for row in part], schema=TYPES)


def catalogue(*names: str, out: str = "") -> pa.Table:
    return pa.table({"product_id": names, "is_recommendable": [name not in out for name in names]})


def pairs(*rows: tuple[str, str]) -> pa.Table:
    columns = [("customer_id", pa.string()), ("product_id", pa.string())]
    names = [name for name, _ in columns]
    return pa.Table.from_pylist(
        [dict(zip(names, row, strict=True)) for row in rows], pa.schema(columns)
    )


def rows_of(batches: Any) -> list[Row]:
    return [row for batch in batches for row in batch.to_pylist()]


SHOP = table(
    done("c1", "o1", "tea", "pot", kind="purchase"),
    done("c2", "o2", "tea", "pot", kind="purchase"),
    done("c3", "o3", "mug", kind="purchase"),
    done("c4", "s4", "mug", "cup"),
    done("v5", "s5", "mug", "cup"),
    done("c6", "s6", "tea"),
    done("c7", "s7", "mug"),
)
PRODUCTS = catalogue("cup", "hat", "mug", "pot", "tea")


def recommended(
    name: str,
    products: pa.Table = PRODUCTS,
    excluded: pa.Table | None = None,
    *,
    again: bool = False,
) -> dict[str, list[str]]:
    known = lists.learned(SHOP, products["product_id"], name)
    found = lists.recommended(
        known, SHOP, products, pairs() if excluded is None else excluded, again=again
    )
    result: dict[str, list[str]] = {}
    for row in rows_of(found):
        result.setdefault(row["customer_id"], []).append(row["product_id"])
        assert row["rank"] == len(result[row["customer_id"]])
    return result


def test_beside_a_product_stands_what_went_with_it_and_then_what_is_popular() -> None:
    known = lists.learned(SHOP, PRODUCTS["product_id"], BLEND)
    found = rows_of(lists.related(known, PRODUCTS))
    beside = [row for row in found if row["product_id"] == "tea"]
    assert [(row["related_product_id"], row["reason_kind"], row["n"]) for row in beside] == [
        ("pot", "bought_together", 2),
        ("mug", "popular", 4),
        ("cup", "popular", 2),
    ]
    [first, *_] = [row for row in found if row["product_id"] == "mug"]
    assert (first["related_product_id"], first["reason_kind"], first["n"]) == (
        *("cup", "viewed_together"),
        2,
    )
    assert {row["product_id"] for row in found} == set(PRODUCTS["product_id"].to_pylist())
    assert {row["recommender"] for row in found} == {BLEND}


def test_popularity_shows_everybody_what_most_people_want_but_not_what_they_know() -> None:
    assert recommended(POPULARITY) == {
        "c1": ["mug", "cup"],
        "c2": ["mug", "cup"],
        "c3": ["tea", "cup", "pot"],
        "c4": ["tea", "pot"],
        "c6": ["mug", "cup", "pot"],
        "c7": ["tea", "cup", "pot"],
    }


def test_a_customer_sees_what_goes_with_what_they_did_and_why() -> None:
    assert recommended(BLEND)["c6"] == ["pot", "mug", "cup"]
    assert recommended(BLEND)["c7"] == ["cup", "tea", "pot"]
    known = lists.learned(SHOP, PRODUCTS["product_id"], BLEND)
    found = rows_of(lists.recommended(known, SHOP, PRODUCTS, pairs(), again=False))
    [first, second, _] = [row for row in found if row["customer_id"] == "c6"]
    assert (first["reason_product_id"], first["reason_kind"], first["n"]) == (
        *("tea", "bought_together"),
        2,
    )
    assert (second["reason_product_id"], second["reason_kind"]) == (None, "popular")


@pytest.mark.parametrize("name", [POPULARITY, BLEND])
@pytest.mark.parametrize("out", ["mug", "pot", "tea"])
def test_no_list_holds_what_may_not_be_recommended(name: str, out: str) -> None:
    products = catalogue("cup", "hat", "mug", "pot", "tea", out=out)
    known = lists.learned(SHOP, products["product_id"], name)
    beside = rows_of(lists.related(known, products))
    assert beside
    assert out not in {row["related_product_id"] for row in beside}
    shown = recommended(name, products)
    assert shown
    assert out not in {product for products in shown.values() for product in products}


@pytest.mark.parametrize("name", [POPULARITY, BLEND])
@pytest.mark.parametrize("again", [False, True])
def test_what_is_excluded_for_one_customer_is_shown_to_the_others(name: str, again: bool) -> None:
    excluded = pairs(("c6", "mug"), ("c6", "tea"), ("nobody", "cup"), ("c7", "unknown"))
    before = recommended(name, again=again)
    after = recommended(name, excluded=excluded, again=again)
    assert after.pop("c6") == [item for item in before.pop("c6") if item not in {"mug", "tea"}]
    assert after == before


def test_what_customers_know_is_shown_again_only_where_they_buy_again() -> None:
    assert "tea" in recommended(POPULARITY, again=True)["c6"]
    assert "tea" not in recommended(POPULARITY, again=False)["c6"]


def test_a_list_ends_at_twenty_even_where_much_is_excluded(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"p{number:02}" for number in range(60)]
    shop = table(done("c1", "s1", *names), done("c2", "s2", "p00"), done("c3", "s3", "p00"))
    products = catalogue(*names)
    known = lists.learned(shop, products["product_id"], BLEND)
    barred = pairs(*(("c2", name) for name in names[1:31]))
    monkeypatch.setattr(lists, "BLOCK", 2)  # several batches
    found = rows_of(lists.recommended(known, shop, products, barred, again=False))
    mine = [row["product_id"] for row in found if row["customer_id"] == "c2"]
    assert mine == names[31:51]
    assert [row["product_id"] for row in found if row["customer_id"] == "c3"] == names[1:21]
    beside = [row for row in rows_of(lists.related(known, products)) if row["product_id"] == "p59"]
    assert [row["rank"] for row in beside] == [*range(1, 21)]


def test_people_are_alike_who_did_something_with_the_same_two_products() -> None:
    shop = table(
        done("c1", "s1", "a", "b", "c"),
        done("c2", "s2", "a", "b"),
        done("c3", "s3", "a"),
        done("v4", "s4", "a", "b"),
    )
    assert rows_of(lists.neighbours(shop)) == [
        {"customer_id": one, "rank": 1, "other_customer_id": other, "score": 0.816496580928, "n": 2}
        for one, other in (("c1", "c2"), ("c2", "c1"))
    ]


def test_the_order_of_the_rows_is_no_matter() -> None:
    backwards = SHOP.take(list(reversed(range(len(SHOP)))))
    for name in (POPULARITY, BLEND):
        found = [
            (
                rows_of(lists.related(known, PRODUCTS)),
                rows_of(lists.recommended(known, rows, PRODUCTS, pairs(), again=False)),
                rows_of(lists.neighbours(rows)),
            )
            for rows in (SHOP, backwards)
            for known in [lists.learned(rows, PRODUCTS["product_id"], name)]
        ]
        assert found[0] == found[1]


def test_scores_are_told_with_twelve_significant_digits() -> None:
    values = np.array([2 / 3, 1e-9 / 3, 0.1 + 0.2, 2 / 3])
    assert lists.rounded(values).tolist() == [
        0.666666666667,
        3.33333333333e-10,
        0.3,
        0.666666666667,
    ]


def test_a_shop_without_interactions_has_empty_lists() -> None:
    nothing = table()
    known = lists.learned(nothing, PRODUCTS["product_id"], BLEND)
    assert rows_of(lists.related(known, PRODUCTS)) == []
    assert rows_of(lists.recommended(known, nothing, PRODUCTS, pairs(), again=False)) == []
    assert rows_of(lists.neighbours(nothing)) == []
