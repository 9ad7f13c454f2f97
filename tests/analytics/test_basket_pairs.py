"""Baskets are packed, and pairs in them counted, as a plain loop over sets does it."""

from collections import Counter, defaultdict
from itertools import combinations, groupby
from operator import itemgetter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import basket_pairs
from analytics.basket_pairs import Baskets

# Far apart, as hashes are, and both ends of what a hash may be.
HASHES = (0, 1, 2**63, 2**63 + 1, 2**64 - 1, 7_046_029_254_386_353_131)
PRODUCTS = (0, 1, 2, 3, 5, 8, 2**31 - 1)
ROWS = st.lists(st.tuples(st.sampled_from(HASHES), st.sampled_from(PRODUCTS)), max_size=40)
Rows = list[tuple[int, int]]
QUICK = settings(max_examples=60, deadline=None)


def packed(rows: Rows) -> Baskets:
    """Pack parts of baskets: of rows that follow each other, those of one basket."""
    parts = [(basket, [row[1] for row in some]) for basket, some in groupby(rows, itemgetter(0))]
    return basket_pairs.packed(
        np.array([basket for basket, _ in parts], np.uint64),
        np.array([len(products) for _, products in parts], np.int64),
        np.array([product for _, product in rows], np.int32),
    )


def content(baskets: Baskets) -> Counter[tuple[int, ...]]:
    """Return the baskets by what they hold."""
    bounds = zip(baskets.starts[:-1], baskets.starts[1:], strict=True)
    return Counter(tuple(baskets.products[start:end].tolist()) for start, end in bounds)


def sets(rows: Rows) -> list[set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for basket, product in rows:
        found[basket].add(product)
    return list(found.values())


@QUICK
@given(ROWS, st.integers(1, 5))
def test_baskets_hold_each_product_once_and_those_over_the_cap_are_left_out(
    rows: Rows, cap: int
) -> None:
    expected = [tuple(sorted(products)) for products in sets(rows)]
    assert content(packed(rows)) == Counter(expected)
    assert content(packed(rows).within(cap)) == Counter(
        products for products in expected if len(products) <= cap
    )


@QUICK
@given(ROWS, st.integers(0, 4), st.integers(1, 50))
def test_pairs_are_counted_once_per_basket_in_however_many_parts(
    rows: Rows, fewest: int, at_once: int
) -> None:
    expected: Counter[tuple[int, int]] = Counter()
    for products in sets(rows):
        expected.update(combinations(sorted(products), 2))
    found: dict[tuple[int, int], int] = {}
    for pairs, counts in basket_pairs.pair_counts(packed(rows), fewest, at_once):
        assert pairs.tolist() == sorted(set(pairs.tolist()))
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            products = divmod(pair, 2**basket_pairs.OTHER_BITS)
            assert products not in found
            found[products] = count
    assert found == {pair: count for pair, count in expected.items() if count >= fewest}


def test_one_huge_basket_is_counted_beside_many_small_ones() -> None:
    huge = [(1, product) for product in range(1_000)]
    small = [(2 + basket, product) for basket in range(3_000) for product in (7, 9)]
    parts = list(basket_pairs.pair_counts(packed(huge + small)))
    pairs, counts = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    assert len(parts) > 1
    assert len(pairs) == 1_000 * 999 // 2
    [most] = pairs[counts > 1]
    assert divmod(int(most), 2**basket_pairs.OTHER_BITS) == (7, 9)
    assert counts.max() == 3_001
