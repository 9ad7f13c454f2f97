"""Pairs of products: measures equal independent ones to 1e-12 and have the properties they must."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration import pair_counts
from tests.dbt import compiled, pair_reference
from tests.dbt.build import Build
from tests.published_ratios import MAHOUT

pytestmark = pytest.mark.slow

COUNTS = pa.schema(
    [
        *((name, pa.string()) for name in ("kind", "product_id", "other_product_id")),
        *((name, pa.int64()) for name in ("n_a", "n_b", "n_ab", "n")),
        *((name, pa.float64()) for name in ("recent_n_a", "recent_n_b", "recent_n_ab")),
    ]
)
BASKET_ROWS = pa.schema(
    [
        *(("kind_number", pa.int32()), ("basket_hash", pa.uint64())),
        *(("product_id", pa.string()), ("occurred_at", pa.timestamp("us", "UTC"))),
    ]
)
DAY = datetime(2026, 11, 1, tzinfo=UTC)
MEASURES = ("support", "confidence", "lift", "cosine", "jaccard", "npmi", "llr")
TERMS = "int_recommendation__pair_terms"
COUNTED = "int_recommendation__pair_counts"
PAIRS = "recommendation__product_pairs"
Table = tuple[int, int, int, int]
Key = tuple[str, str, str]
Content = frozenset[Key]
BY_CHANCE = st.frozensets(
    st.tuples(
        st.sampled_from(["co_purchase", "co_view"]),
        st.sampled_from("abcdefgh"),
        st.sampled_from("12345"),
    ),
    max_size=40,
)
CHEAP = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True, slots=True, repr=False)
class Models:
    """The SQL that reads counted pairs, and that of the mart which measures them."""

    connection: duckdb.DuckDBPyConnection
    counting: str
    measuring: str

    def fill(self, name: str, rows: pa.Table) -> None:
        """Give a table rows, and no others."""
        self.connection.register("input_rows", rows)
        self.connection.execute(f"create or replace table intermediate.{name} as from input_rows")
        self.connection.unregister("input_rows")

    def measured(self, tables: Sequence[Table]) -> list[dict[str, float]]:
        """Return the measures that counts n_a, n_b, n_ab, n get, in their order."""
        rows = [
            dict(zip(COUNTS.names, ("co_view", f"p{i}", f"q{i}", *table, *table[:3]), strict=True))
            for i, table in enumerate(tables)
        ]
        self.fill(COUNTED, compiled.table(rows, COUNTS))
        found = self.connection.execute(
            f"select {', '.join(MEASURES)} from ({self.measuring})"
            " where product_id[1] = 'p' order by substr(product_id, 2)::bigint"
        ).fetchall()
        return [dict(zip(MEASURES, row, strict=True)) for row in found]

    def pairs(self, content: Iterable[Key]) -> dict[Key, Any]:
        """Return the mart's rows by key, made from rows of kind, basket and product."""
        told = list(content)
        numbers = {basket: number for number, basket in enumerate({row[:2] for row in told})}
        kinds = {name: number for number, name in pair_counts.KINDS.items()}
        rows = [
            dict(
                zip(BASKET_ROWS.names, (kinds[row[0]], numbers[row[:2]], row[2], DAY), strict=True)
            )
            for row in told
        ]
        self.fill("int_recommendation__basket_rows", compiled.table(rows, BASKET_ROWS))
        pair_counts.solve(self.connection, pair_counts.PAIRS)
        counts = self.connection.sql(self.counting).to_arrow_table()
        self.fill(COUNTED, counts)
        return {row[:3]: row[3:] for row in self.connection.execute(self.measuring).fetchall()}


@pytest.fixture(scope="module")
def models(small_shop: Build) -> Iterator[Models]:
    """Yield the two models as dbt compiled them, and a database to run them in."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build; use build; set timezone = 'UTC'")
        # a thread more costs more than such few rows do
        connection.execute("set threads = 1; create schema intermediate")
        terms, *sources = (
            compiled.source(small_shop.target, name) for name in (TERMS, COUNTED, PAIRS)
        )
        connection.execute(f"create table intermediate.{TERMS} as {terms}")
        yield Models(connection, *sources)


def hold_to_reference(models: Models, tables: Sequence[Table]) -> None:
    for table, found in zip(tables, models.measured(tables), strict=True):
        # 60 digits leave 1e-50 of what is 0
        expected = pytest.approx(pair_reference.measures(*table), rel=1e-12, abs=1e-30)
        assert found == expected, table


def test_measures_of_random_counts_equal_those_of_60_digits(models: Models) -> None:
    chance = random.Random(20261127)
    tables: list[Table] = []
    for _ in range(600):
        n = round(10 ** chance.uniform(0.5, 11))
        n_a, n_b = (max(1, round(n ** chance.uniform(0, 1))) for _ in range(2))
        least = max(1, n_a + n_b - n)
        tables.append((n_a, n_b, chance.randint(least, min(n_a, n_b)), n))
        # about as many together as by chance: what a difference of logarithms loses its digits on
        near = round(n_a * n_b / n * (1 + chance.choice([0, 1e-6, 0.01, 0.0999, 0.1001])))
        tables.append((n_a, n_b, min(max(near, least), n_a, n_b), n))
    hold_to_reference(models, tables)
    assert max(n for *_, n in tables) > 2**36


def test_measures_stay_exact_at_their_limits(models: Models) -> None:
    always, apart, in_all, together = (1, 1, 1, 1), (1, 1, 1, 10**9), (5, 9, 5, 9), (7, 7, 7, 9)
    as_by_chance, huge = (10, 10, 1, 100), (4 * 10**9, 5 * 10**9, 3 * 10**9, 10**10)
    tables = [always, apart, in_all, together, as_by_chance, huge]
    hold_to_reference(models, tables)
    npmi = [one["npmi"] for one in models.measured(tables)]
    # Bouma (2009): 1 never apart, 0 as by chance
    assert npmi[:5] == [1, 1, 0, 1, 0]
    assert models.measured([as_by_chance])[0]["llr"] == 0


@pytest.mark.parametrize(
    ("cells", "published"),
    [
        # Dunning (1993), Accurate Methods for the Statistics of Surprise and Coincidence, table 2
        ((110, 2442, 111, 29114), 270.72),
        ((29, 13, 123, 31612), 263.90),
        ((31, 23, 139, 31584), 256.84),
        ((10, 0, 3, 31764), 167.23),
        *MAHOUT,
    ],
)
def test_the_likelihood_ratio_equals_published_ones(
    models: Models, cells: tuple[int, int, int, int], published: float
) -> None:
    both, first, second, neither = cells
    table = (both + first, both + second, both, sum(cells))
    [found] = models.measured([table])
    assert found["llr"] == pytest.approx(published, rel=2e-5)
    assert neither == table[3] - table[0] - table[1] + both


def test_more_baskets_together_are_never_less_of_a_pair(models: Models) -> None:
    chance = random.Random(8)
    for _ in range(6):
        n = chance.randint(20, 400)
        n_a, n_b = chance.randint(1, n), chance.randint(1, n)
        together = range(max(1, n_a + n_b - n), min(n_a, n_b) + 1)
        found = models.measured([(n_a, n_b, n_ab, n) for n_ab in together])
        for name in ("support", "confidence", "lift", "cosine", "jaccard"):
            values = [one[name] for one in found]
            assert values == sorted(set(values)), name
        npmi = [one["npmi"] for one in found]
        assert npmi == sorted(npmi)


@CHEAP
@given(content=BY_CHANCE)
def test_pairs_are_symmetric_and_nothing_is_paired_with_itself(
    models: Models, content: Content
) -> None:
    found = models.pairs(content)
    for (kind, product, other), (n_a, n_b, n_ab, n, support, _, *measures) in found.items():
        assert product != other
        mirrored = found[kind, other, product]
        assert mirrored[:5] == (n_b, n_a, n_ab, n, support)
        assert mirrored[6:] == tuple(measures)


@CHEAP
@given(content=BY_CHANCE)
def test_counts_equal_a_plain_loop_over_baskets(models: Models, content: Content) -> None:
    together: Counter[tuple[str, str, str]] = Counter()
    for kind, basket in {row[:2] for row in content}:
        products = sorted(row[2] for row in content if row[:2] == (kind, basket))
        together.update((kind, *pair) for pair in combinations(products, 2))
    of_product = Counter((kind, product) for kind, _, product in content)
    baskets = Counter(kind for kind, _ in {row[:2] for row in content})
    expected = {
        (kind, a, b): (of_product[kind, a], of_product[kind, b], count, baskets[kind])
        for (kind, a, b), count in together.items()
    }
    found = models.pairs(content)
    assert {key: row[:4] for key, row in found.items() if key[1] < key[2]} == expected


@CHEAP
@given(content=BY_CHANCE, chance=st.randoms(use_true_random=False))
def test_neither_order_nor_names_matter(
    models: Models, content: Content, chance: random.Random
) -> None:
    rows = list(content)
    chance.shuffle(rows)
    products, baskets = (chance.sample(names, len(names)) for names in ("12345", "abcdefgh"))
    renamed = dict(zip("12345", products, strict=True))
    moved = dict(zip("abcdefgh", baskets, strict=True))
    found = models.pairs([(k, moved[b], renamed[p]) for k, b, p in rows])
    assert found == {
        (kind, renamed[a], renamed[b]): row for (kind, a, b), row in models.pairs(content).items()
    }
