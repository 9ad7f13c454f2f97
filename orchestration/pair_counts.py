"""Count in how many baskets products are, and any two of them together: into the schema `solved`.

`solved.pair_counts` holds the pairs that are in enough baskets, `solved.basket_counts` how many
baskets there are of each kind.
"""

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analytics import basket_pairs
from analytics.basket_pairs import Baskets
from warehouse.engines import duckdb_engine

PAIRS, BASKETS = "pair_counts", "basket_counts"
SOLVED = (PAIRS, BASKETS)
KINDS = {1: "co_purchase", 2: "co_view", 3: "co_cart"}
ROWS = "intermediate.int_recommendation__basket_rows"
TERMS = "intermediate.int_recommendation__pair_terms"
# In a kind of baskets a product is its own number times four and the kind's.
NUMBERS = (
    "CREATE OR REPLACE TEMP TABLE product_numbers AS SELECT product_id,"
    " CAST(row_number() OVER (ORDER BY product_id) AS INTEGER) AS product_number"
    f" FROM {ROWS} GROUP BY product_id"
)
NUMBERED = (
    "SELECT basket_hash, CAST(product_number * 4 + kind_number AS INTEGER) AS product"
    f" FROM {ROWS} INNER JOIN product_numbers USING (product_id)"
)
BY_KIND = (
    "SELECT kind, basket_count, large_basket_count FROM kinds_told"
    " WHERE basket_count + large_basket_count > 0"
)
PAIR = pa.schema([("pair", pa.int64()), ("basket_count", pa.int64())])
ENOUGH = f"""
WITH totals AS (
    SELECT
        kind_number, kind, basket_count,
        least(basket_count * minimum_support, minimum_baskets) AS minimum
    FROM kinds_told CROSS JOIN {TERMS}
),
products AS (
    SELECT
        product, product_id, products_told.basket_count AS product_count,
        kind, totals.basket_count, minimum
    FROM products_told
    INNER JOIN product_numbers ON product // 4 = product_number
    INNER JOIN totals ON product % 4 = kind_number
),
pairs AS (
    SELECT
        pair >> {basket_pairs.OTHER_BITS} AS product,
        pair & {2**basket_pairs.OTHER_BITS - 1} AS other_product,
        basket_count
    FROM pairs_told
)
SELECT
    a.kind,
    least(a.product_id, b.product_id) AS product_id,
    greatest(a.product_id, b.product_id) AS other_product_id,
    if(a.product_id < b.product_id, a.product_count, b.product_count) AS n_a,
    if(a.product_id < b.product_id, b.product_count, a.product_count) AS n_b,
    pairs.basket_count AS n_ab,
    a.basket_count AS n
FROM pairs
INNER JOIN products AS a ON pairs.product = a.product
INNER JOIN products AS b ON pairs.other_product = b.product
WHERE pairs.basket_count >= a.minimum
"""


def solve(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """Write the table `solved.<name>` and return its row count."""
    if name == PAIRS:
        _count(connection)
    [(count,)] = connection.execute(f"SELECT count(*) FROM solved.{name}").fetchall()
    return count


def _count(connection: duckdb.DuckDBPyConnection) -> None:
    [(cap, support, least)] = connection.execute(
        f"SELECT basket_cap, minimum_support, minimum_baskets FROM {TERMS}"
    ).fetchall()
    connection.execute(NUMBERS)
    rows: dict[str, Any] = connection.execute(NUMBERED).fetchnumpy()
    baskets = basket_pairs.packed(rows.pop("basket_hash"), rows.pop("product"))
    counted = baskets.within(cap)
    kinds = _by_kind(counted, baskets)
    # what is not enough in any kind is not handed on
    fewest = min((min(n * support, least) for n in kinds["basket_count"].to_pylist()), default=0)
    told = {
        "kinds_told": kinds,
        "products_told": _by_product(counted),
        "pairs_told": pa.RecordBatchReader.from_batches(PAIR, _by_pair(counted, int(fewest))),
    }
    for table, content in told.items():
        connection.register(table, content)
    with duckdb_engine.transaction(connection):
        connection.execute("CREATE SCHEMA IF NOT EXISTS solved")
        connection.execute(f"CREATE OR REPLACE TABLE solved.{PAIRS} AS {ENOUGH}")
        connection.execute(f"CREATE OR REPLACE TABLE solved.{BASKETS} AS {BY_KIND}")
    for table in told:
        connection.unregister(table)


def _by_kind(counted: Baskets, baskets: Baskets) -> pa.Table:
    """Return how many baskets of each kind are counted, and how many are too large."""
    found, every = (np.bincount(_kinds(one), minlength=4)[1:] for one in (counted, baskets))
    columns = {
        "kind_number": list(KINDS),
        "kind": list(KINDS.values()),
        "basket_count": found,
        "large_basket_count": every - found,
    }
    return pa.table(columns)


def _kinds(baskets: Baskets) -> npt.NDArray[np.int32]:
    return baskets.products[baskets.starts[:-1]] % 4


def _by_product(baskets: Baskets) -> pa.Table:
    counts = np.bincount(baskets.products)
    products = np.flatnonzero(counts)
    return pa.table({"product": products, "basket_count": counts[products]})


def _by_pair(baskets: Baskets, fewest: int) -> Iterator[pa.RecordBatch]:
    """Yield the pairs that are in at least so many baskets."""
    for pairs, counts in basket_pairs.pair_counts(baskets, fewest):
        yield pa.record_batch([pairs, counts], schema=PAIR)
