"""Keep what baskets held when they were last counted, and find those that hold something else now.

Kept beside the counts, in `solved`, and written in one transaction with them: so that whatever has
happened in between, a difference to what is kept is a difference to what was counted. Rows are
compared by sums of their hashes per UTC day, so that all are read and only those of days that
differ are looked into. Two days of other rows and one sum would hide a change: once in 10^19.
Products are found by a hash of 64 bits too, a third faster than by their texts; two of a million
have the same one once in 37 million shops.
"""

from dataclasses import dataclass

import duckdb
import numpy as np

from analytics import basket_pairs
from analytics.basket_pairs import Baskets

ROWS = "intermediate.int_recommendation__basket_rows"
TERMS = "intermediate.int_recommendation__pair_terms"
# What is kept by another layout, by another limit of a basket, or not at all, is not compared.
LAYOUT = 2
TABLES = (
    *("terms", "days", "baskets", "products"),
    *("kinds", "counts", "pairs", "once", "added", "enough", "minima"),
)
# Where more of the rows are in days that changed, or were since all were counted, all are again.
MOST_CHANGED = 0.25
DAY = 86_400_000_000

DAYS = f"""
CREATE OR REPLACE TEMP TABLE present_days AS
SELECT
    epoch_us(occurred_at) // {DAY} AS day,
    sum(hash(basket_hash, product_id)) AS digest, count(*) AS row_count
FROM {ROWS} GROUP BY day
"""
CHANGED_DAYS = """
CREATE OR REPLACE TEMP TABLE changed_days AS
SELECT
    coalesce(present.day, kept.day) AS day,
    coalesce(present.row_count, 0) + coalesce(kept.row_count, 0) AS row_count
FROM present_days AS present FULL OUTER JOIN solved.kept_days AS kept ON present.day = kept.day
WHERE present.digest IS DISTINCT FROM kept.digest
"""
# In a kind of baskets a product is its own number times four and the kind's.
NUMBERS = """
SELECT
    epoch_us(occurred_at) // {day} AS day, basket_hash, kind_number, given.product_id,
    CAST(product_number * 4 + kind_number AS INTEGER) AS product
FROM (SELECT *, hash(product_id) AS product_hash FROM {rows}) AS given
LEFT JOIN solved.kept_products AS known USING (product_hash)
"""
PARTS = """
SELECT day, basket_hash, list(product) AS products FROM {numbers} GROUP BY day, basket_hash
"""
NUMBERED = """
SELECT
    product_id, hash(product_id) AS product_hash,
    CAST({used} + row_number() OVER (ORDER BY product_id) AS INTEGER) AS product_number
FROM {rows} GROUP BY product_id
"""
# Most are alike as they stand, and need no sorting.
CHANGED_BASKETS = """
CREATE OR REPLACE TEMP TABLE changed_baskets AS
WITH kept AS (FROM solved.kept_baskets WHERE day IN (SELECT day FROM changed_days))
SELECT DISTINCT coalesce(present.basket_hash, kept.basket_hash) AS basket_hash
FROM present_parts AS present FULL OUTER JOIN kept
    ON present.day = kept.day AND present.basket_hash = kept.basket_hash
WHERE present.products IS DISTINCT FROM kept.products
    AND list_sort(present.products) IS DISTINCT FROM list_sort(kept.products)
"""
OF_CHANGED = " WHERE basket_hash IN (SELECT basket_hash FROM changed_baskets)"


@dataclass(frozen=True, slots=True)
class Difference:
    """What baskets hold that held something else, or did not exist, when they were kept."""

    before: Baskets
    after: Baskets


def update(connection: duckdb.DuckDBPyConnection, cap: int) -> Baskets | Difference:
    """Keep the baskets as they are; return what changed, or all if that is to be counted anew.

    `cap` is the limit of what is counted beside. Inside a transaction.
    """
    connection.execute(DAYS)
    if not _is_kept(connection, cap) or _is_much(connection):
        return _everything(connection, cap)
    _number_changed_rows(connection)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE present_parts AS " + PARTS.format(numbers="changed_rows")
    )
    connection.execute(CHANGED_BASKETS)
    before = _kept(connection, OF_CHANGED)
    for kept, present in (("baskets", "present_parts"), ("days", "present_days")):
        connection.execute(
            f"DELETE FROM solved.kept_{kept} WHERE day IN (SELECT day FROM changed_days);"
            f" INSERT INTO solved.kept_{kept}"
            f" FROM {present} WHERE day IN (SELECT day FROM changed_days)"
        )
    return Difference(before, _kept(connection, OF_CHANGED))


def note_pairs(connection: duckdb.DuckDBPyConnection) -> None:
    """Note how many pairs all baskets have, once they are counted."""
    connection.execute(
        "UPDATE solved.kept_terms SET pair_rows ="
        " (SELECT count(*) FROM solved.kept_pairs) + (SELECT count(*) FROM solved.kept_once)"
    )


def _is_kept(connection: duckdb.DuckDBPyConnection, cap: int) -> bool:
    [(found,)] = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database()"
        " AND schema_name = 'solved' AND table_name IN (SELECT unnest(?))",
        [[f"kept_{name}" for name in TABLES]],
    ).fetchall()
    return found == len(TABLES) and connection.execute(
        "SELECT layout, basket_cap FROM solved.kept_terms"
    ).fetchall() == [(LAYOUT, cap)]


def _is_much(connection: duckdb.DuckDBPyConnection) -> bool:
    connection.execute(CHANGED_DAYS)
    [(changed, rows, added, pairs)] = connection.execute(
        "SELECT (SELECT coalesce(sum(row_count), 0) FROM changed_days),"
        " (SELECT coalesce(sum(row_count), 0) FROM solved.kept_days),"
        " (SELECT count(*) FROM solved.kept_added), pair_rows FROM solved.kept_terms"
    ).fetchall()
    return changed > 2 * MOST_CHANGED * rows or added > MOST_CHANGED * pairs


def _everything(connection: duckdb.DuckDBPyConnection, cap: int) -> Baskets:
    for name, query in {
        "terms": (
            f"SELECT {LAYOUT} AS layout, CAST({cap} AS BIGINT) AS basket_cap,"
            " CAST(0 AS BIGINT) AS pair_rows"
        ),
        "products": NUMBERED.format(used=0, rows=ROWS),
        "baskets": PARTS.format(numbers=f"({NUMBERS.format(day=DAY, rows=ROWS)})"),
        "days": "FROM present_days",
    }.items():
        connection.execute(f"CREATE OR REPLACE TABLE solved.kept_{name} AS {query}")
    return _kept(connection)


def _number_changed_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the rows of days that changed, and number the products that had no number."""
    [(first, last)] = connection.execute(
        "SELECT coalesce(min(day), 0), coalesce(max(day), -1) FROM changed_days"
    ).fetchall()
    # The bounds let what is stored by time be skipped. Before 1970 a day has the next one's number.
    rows = (
        f"(FROM {ROWS} WHERE epoch_us(occurred_at) // {DAY} IN (SELECT day FROM changed_days)"
        f" AND occurred_at >= make_timestamptz({(first - 1) * DAY})"
        f" AND occurred_at < make_timestamptz({(last + 1) * DAY}))"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE changed_rows AS {NUMBERS.format(day=DAY, rows=rows)}"
    )
    [(used,)] = connection.execute(
        "SELECT coalesce(max(product_number), 0) FROM solved.kept_products"
    ).fetchall()
    unknown = "changed_rows WHERE product IS NULL"
    connection.execute(
        f"INSERT INTO solved.kept_products {NUMBERED.format(used=used, rows=unknown)}"
    )
    connection.execute(
        "UPDATE changed_rows SET product = product_number * 4 + kind_number"
        " FROM solved.kept_products AS known"
        " WHERE product IS NULL AND changed_rows.product_id = known.product_id"
    )


def _kept(connection: duckdb.DuckDBPyConnection, where: str = "") -> Baskets:
    """Return what is kept of baskets, the parts of each as one."""
    parts = connection.sql(
        f"SELECT basket_hash, products FROM solved.kept_baskets{where}"
    ).to_arrow_table()
    lists = parts["products"].chunks
    sizes = [one.value_lengths().to_numpy() for one in lists]
    products = [one.flatten().to_numpy() for one in lists]
    return basket_pairs.packed(
        parts["basket_hash"].to_numpy(),
        np.concatenate([np.empty(0, np.int64), *sizes]),
        np.concatenate([np.empty(0, np.int32), *products]),
    )
