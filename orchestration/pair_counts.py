"""Count in how many baskets products are, and any two of them together: into the schema `solved`.

`solved.pair_counts` holds the pairs that are in enough baskets, `solved.basket_counts` how many
baskets there are of each kind. Counts are sums, and kept: of all baskets once, and after that what
those added that hold something else than before (`orchestration.kept_baskets`).
"""

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from analytics import basket_pairs
from analytics.basket_pairs import Baskets
from orchestration import kept_baskets
from warehouse.engines import duckdb_engine

PAIRS, BASKETS = "pair_counts", "basket_counts"
SOLVED = (PAIRS, BASKETS)
KINDS = {1: "co_purchase", 2: "co_view", 3: "co_cart"}
_NAMES = " ".join(f"WHEN {number} THEN '{name}'" for number, name in KINDS.items())
PAIR = pa.schema([("pair", pa.int64()), ("basket_count", pa.int64())])
KEYS = {"kinds": "kind_number, is_large", "counts": "product", "pairs": "pair"}
ADDED = """
CREATE OR REPLACE TEMP TABLE added_{name} AS
WITH added AS (
    FROM after_{name} UNION ALL SELECT * REPLACE (-basket_count AS basket_count) FROM before_{name}
)
SELECT {key}, CAST(sum(basket_count) AS BIGINT) AS basket_count
FROM added GROUP BY {key} HAVING sum(basket_count) <> 0
"""
# A pair is enough that is in so many baskets, or in so large a share of its kind's.
KINDS_NOW = f"""
CREATE OR REPLACE TEMP TABLE kinds_now AS
WITH counted AS (
    SELECT
        kind_number, CASE kind_number {_NAMES} END AS kind,
        CAST(coalesce(sum(basket_count) FILTER (NOT is_large), 0) AS BIGINT) AS basket_count,
        CAST(coalesce(sum(basket_count) FILTER (is_large), 0) AS BIGINT) AS large_basket_count
    FROM solved.kept_kinds GROUP BY kind_number HAVING sum(basket_count) > 0
)
SELECT
    counted.*,
    CAST(ceil(least(basket_count * minimum_support, minimum_baskets)) AS BIGINT) AS minimum
FROM counted CROSS JOIN {kept_baskets.TERMS}
"""
# A kind of baskets is in the last two bits of a product, and so of a pair.
ENOUGH = """
CREATE OR REPLACE TABLE solved.kept_enough AS
WITH totals AS (
    SELECT pair, CAST(sum(basket_count) AS BIGINT) AS basket_count
    FROM solved.kept_pairs WHERE {which} GROUP BY pair
)
SELECT pair, totals.basket_count
FROM totals INNER JOIN kinds_now ON pair & 3 = kind_number
WHERE totals.basket_count >= greatest(minimum, 1)
"""
FEWEST = "SELECT greatest(min(minimum), 1) FROM kinds_now"
# Where no minimum fell, no other pair can have become enough.
CHANGED = "pair IN (SELECT pair FROM added_pairs UNION SELECT pair FROM solved.kept_enough)"
FELL = """
SELECT count(*) FROM kinds_now AS present INNER JOIN solved.kept_minima AS kept USING (kind_number)
WHERE present.minimum < kept.minimum
"""
BY_PAIR = f"""
WITH products AS (
    SELECT
        product, any_value(product_id) AS product_id,
        CAST(sum(basket_count) AS BIGINT) AS basket_count
    FROM solved.kept_counts INNER JOIN solved.kept_products ON product // 4 = product_number
    GROUP BY product
)
SELECT
    kind,
    least(a.product_id, b.product_id) AS product_id,
    greatest(a.product_id, b.product_id) AS other_product_id,
    if(a.product_id < b.product_id, a.basket_count, b.basket_count) AS n_a,
    if(a.product_id < b.product_id, b.basket_count, a.basket_count) AS n_b,
    pairs.basket_count AS n_ab,
    kinds_now.basket_count AS n
FROM solved.kept_enough AS pairs
INNER JOIN products AS a ON pair >> {basket_pairs.OTHER_BITS} = a.product
INNER JOIN products AS b ON pair & {2**basket_pairs.OTHER_BITS - 1} = b.product
INNER JOIN kinds_now ON pair & 3 = kind_number
"""
BY_KIND = "SELECT kind, basket_count, large_basket_count FROM kinds_now"


def solve(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """Write the table `solved.<name>` and return its row count."""
    if name == PAIRS:
        with duckdb_engine.transaction(connection):
            _count(connection)
    [(count,)] = connection.execute(f"SELECT count(*) FROM solved.{name}").fetchall()
    return count


def _count(connection: duckdb.DuckDBPyConnection) -> None:
    [(cap,)] = connection.execute(f"SELECT basket_cap FROM {kept_baskets.TERMS}").fetchall()
    connection.execute("CREATE SCHEMA IF NOT EXISTS solved")
    found = kept_baskets.update(connection, cap)
    if isinstance(found, Baskets):
        _told(connection, found, cap, "CREATE OR REPLACE TABLE solved.kept_{name} AS FROM told")
        kept_baskets.note_pairs(connection)
        which = f"basket_count >= ({FEWEST})"
    else:
        for when, baskets in (("before", found.before), ("after", found.after)):
            into = f"CREATE OR REPLACE TEMP TABLE {when}_{{name}} AS FROM told"
            _told(connection, baskets, cap, into)
        for name, key in KEYS.items():
            connection.execute(ADDED.format(name=name, key=key))
            connection.execute(f"INSERT INTO solved.kept_{name} FROM added_{name}")
        which = CHANGED
    connection.execute(KINDS_NOW)
    if which == CHANGED and connection.execute(FELL).fetchall() != [(0,)]:
        which = "true"
    connection.execute(ENOUGH.format(which=which))
    for name, query in {
        "kept_minima": "SELECT kind_number, minimum FROM kinds_now",
        PAIRS: BY_PAIR,
        BASKETS: BY_KIND,
    }.items():
        connection.execute(f"CREATE OR REPLACE TABLE solved.{name} AS {query}")


def _told(connection: duckdb.DuckDBPyConnection, baskets: Baskets, cap: int, into: str) -> None:
    """Write how many baskets there are by kind, by product and by pair."""
    counted = baskets.within(cap)
    counts = {
        "kinds": _by_kind(counted, baskets),
        "counts": _by_product(counted),
        "pairs": pa.RecordBatchReader.from_batches(PAIR, _by_pair(counted)),
    }
    for name, told in counts.items():
        connection.register("told", told)
        connection.execute(into.format(name=name))
        connection.unregister("told")


def _by_kind(counted: Baskets, baskets: Baskets) -> pa.Table:
    small, every = (
        np.bincount(one.products[one.starts[:-1]] % 4, minlength=4)[1:]
        for one in (counted, baskets)
    )
    columns = {
        "kind_number": [*KINDS, *KINDS],
        "is_large": [False] * len(KINDS) + [True] * len(KINDS),
        "basket_count": np.concatenate([small, every - small]),
    }
    return pa.table(columns)


def _by_product(baskets: Baskets) -> pa.Table:
    counts = np.bincount(baskets.products)
    products = np.flatnonzero(counts)
    return pa.table({"product": products, "basket_count": counts[products]})


def _by_pair(baskets: Baskets) -> Iterator[pa.RecordBatch]:
    for pairs, counts in basket_pairs.pair_counts(baskets):
        yield pa.record_batch([pairs, counts], schema=PAIR)
