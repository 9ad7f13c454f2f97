"""Count in how many baskets products are, and any two of them together: into the schema `solved`.

`solved.pair_counts` holds the pairs that are in enough baskets, `solved.basket_counts` how many
baskets there are of each kind. Counts are sums, and kept: of all baskets once, and after that what
those added that hold something else than before (`orchestration.kept_baskets`).
"""

from collections.abc import Iterator
from typing import TypeAlias

import duckdb
import numpy as np
import pyarrow as pa

from analytics import basket_pairs
from analytics.basket_pairs import Baskets
from orchestration import kept_baskets
from orchestration.kept_baskets import Difference
from warehouse.engines import duckdb_engine

PAIRS, BASKETS = "pair_counts", "basket_counts"
SOLVED = (PAIRS, BASKETS)
KINDS = {1: "co_purchase", 2: "co_view", 3: "co_cart"}
_NAMES = " ".join(f"WHEN {number} THEN '{name}'" for number, name in KINDS.items())
PAIR = pa.schema([("pair", pa.int64()), ("basket_count", pa.int64())])
ONCE = pa.schema([("pair", pa.int64())])
Told: TypeAlias = pa.Table | pa.RecordBatchReader
KEYS = {"kinds": "kind_number, is_large", "counts": "product", "added": "pair"}
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
# Where no minimum fell, only what was enough, or was added to, can be.
CHANGED = "pair IN (SELECT pair FROM added_added UNION SELECT pair FROM solved.kept_enough)"
TOTALS = """
CREATE OR REPLACE TEMP TABLE totals AS
SELECT pair, CAST(sum(basket_count) AS BIGINT) AS basket_count, bool_or(is_known) AS is_known
FROM (
    SELECT *, true AS is_known FROM solved.kept_pairs
    UNION ALL SELECT *, false FROM solved.kept_added
)
WHERE {which} GROUP BY pair
"""
# Nine of ten pairs were together once when all was counted. They are kept apart, and not looked
# into until what was added is all but enough; from then on they are kept with the others.
LOOKED_UP = """
CREATE OR REPLACE TEMP TABLE looked_up AS
SELECT pair, CAST(count(once.pair) AS BIGINT) AS basket_count
FROM totals LEFT JOIN solved.kept_once AS once USING (pair)
WHERE NOT is_known AND basket_count >= ? - 1
GROUP BY pair
"""
ALL_KNOWN = """
INSERT INTO solved.kept_pairs
SELECT pair, 1 FROM solved.kept_once ANTI JOIN solved.kept_pairs USING (pair);
TRUNCATE solved.kept_once
"""
# A kind of baskets is in the last two bits of a product, and so of a pair.
ENOUGH = """
CREATE OR REPLACE TABLE solved.kept_enough AS
WITH known AS (
    SELECT pair, totals.basket_count + coalesce(looked_up.basket_count, 0) AS basket_count
    FROM totals LEFT JOIN looked_up USING (pair)
)
SELECT pair, known.basket_count
FROM known INNER JOIN kinds_now ON pair & 3 = kind_number
WHERE known.basket_count >= greatest(minimum, 1)
"""
FEWEST = "SELECT greatest(min(minimum), 1) FROM kinds_now"
FELL = """
SELECT count(*) FROM kinds_now AS present INNER JOIN solved.kept_minima AS kept USING (kind_number)
WHERE present.minimum < kept.minimum
"""
BY_PAIR = f"""
WITH counts AS (
    SELECT product, CAST(sum(basket_count) AS BIGINT) AS basket_count
    FROM solved.kept_counts
    WHERE product IN (
        SELECT pair >> {basket_pairs.OTHER_BITS} FROM solved.kept_enough
        UNION SELECT pair & {2**basket_pairs.OTHER_BITS - 1} FROM solved.kept_enough
    )
    GROUP BY product
),
products AS (
    SELECT product, product_id, basket_count
    FROM counts INNER JOIN solved.kept_products ON product // 4 = product_number
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
        _keep(connection, found, cap)
    else:
        _add(connection, found, cap)
    for name, query in {
        "kept_minima": "SELECT kind_number, minimum FROM kinds_now",
        PAIRS: BY_PAIR,
        BASKETS: BY_KIND,
    }.items():
        connection.execute(f"CREATE OR REPLACE TABLE solved.{name} AS {query}")


def _keep(connection: duckdb.DuckDBPyConnection, baskets: Baskets, cap: int) -> None:
    """Count all baskets."""
    once: list[pa.RecordBatch] = []
    for name, told in _counts(baskets, cap, once).items():
        kept = "pairs" if name == "added" else name
        _tell(connection, told, f"CREATE OR REPLACE TABLE solved.kept_{kept} AS FROM told")
    _tell(
        connection,
        pa.Table.from_batches(once, ONCE),
        "CREATE OR REPLACE TABLE solved.kept_once AS FROM told",
    )
    connection.execute(
        "CREATE OR REPLACE TABLE solved.kept_added AS FROM solved.kept_pairs LIMIT 0"
    )
    kept_baskets.note_pairs(connection)
    connection.execute(KINDS_NOW)
    [(fewest,)] = connection.execute(FEWEST).fetchall()
    if fewest == 1:
        connection.execute(ALL_KNOWN)
    _find_enough(connection, f"basket_count >= {fewest}")


def _add(connection: duckdb.DuckDBPyConnection, found: Difference, cap: int) -> None:
    """Count what changed."""
    for when, baskets in (("before", found.before), ("after", found.after)):
        into = f"CREATE OR REPLACE TEMP TABLE {when}_{{name}} AS FROM told"
        for name, told in _counts(baskets, cap).items():
            _tell(connection, told, into.format(name=name))
    for name, key in KEYS.items():
        connection.execute(ADDED.format(name=name, key=key))
        connection.execute(f"INSERT INTO solved.kept_{name} FROM added_{name}")
    connection.execute(KINDS_NOW)
    if connection.execute(FELL).fetchall() == [(0,)]:
        _find_enough(connection, CHANGED)
    else:
        connection.execute(ALL_KNOWN)
        _find_enough(connection, "true")


def _find_enough(connection: duckdb.DuckDBPyConnection, which: str) -> None:
    """Write the pairs that are in enough baskets, of those that a condition names."""
    connection.execute(TOTALS.format(which=which))
    [(fewest,)] = connection.execute(FEWEST).fetchall()
    connection.execute(LOOKED_UP, [fewest])
    connection.execute("INSERT INTO solved.kept_pairs FROM looked_up")
    connection.execute(ENOUGH)


def _counts(
    baskets: Baskets, cap: int, once: list[pa.RecordBatch] | None = None
) -> dict[str, Told]:
    """Return how many baskets there are by kind, by product and by pair.

    Pairs of one basket are put into `once`, if that is given, and not returned.
    """
    counted = baskets.within(cap)
    return {
        "kinds": _by_kind(counted, baskets),
        "counts": _by_product(counted),
        "added": pa.RecordBatchReader.from_batches(PAIR, _by_pair(counted, once)),
    }


def _tell(connection: duckdb.DuckDBPyConnection, told: Told, statement: str) -> None:
    """Run a statement that reads `told`."""
    connection.register("told", told)
    connection.execute(statement)
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


def _by_pair(
    baskets: Baskets, once: list[pa.RecordBatch] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield pairs, less those of one basket where these are to be put into `once`."""
    for pairs, counts in basket_pairs.pair_counts(baskets):
        if once is not None:
            often = counts > 1
            once.append(pa.record_batch([pairs[~often]], schema=ONCE))
            pairs, counts = pairs[often], counts[often]  # noqa: PLW2901
        yield pa.record_batch([pairs, counts], schema=PAIR)
