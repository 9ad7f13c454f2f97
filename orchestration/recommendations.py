"""Choose the recommender that is published, and write its lists: into the schema `solved`.

The choice of a window of evaluation is made once: of one that state keeps, the figures are those
that it was made by, whatever came in late.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from analytics import recommendation_lists, recommender_gate
from warehouse.engines import duckdb_engine
from warehouse.publish import recommender_choices
from warehouse.publish.recommender_choices import Choice

EVALUATION = "recommender_evaluation"
SOLVED = (EVALUATION, "related_products", "customer_neighbours", "customer_recommendations")
CHOICE = pa.schema(
    [
        *(("window_start", pa.date32()), ("window_end", pa.date32())),
        *(("chosen", pa.string()), ("status", pa.string()), ("reason", pa.string())),
        *(("asked", pa.int64()), ("recommender", pa.string()), ("metric", pa.string())),
        *(("k", pa.int64()), ("value", pa.float64())),
        *(("lower", pa.float64()), ("upper", pa.float64())),
    ]
)
ROWS = (
    "SELECT kind, actor_key, customer_id, session_id, order_id, product_id, occurred_at,"
    " CAST(weight AS DOUBLE) AS weight FROM recommendation.interactions"
)
# Lists are made for whom the shop knows: activity may name somebody whom it erased, whose deeds are
# then a visitor's.
OF_CUSTOMERS = (
    "SELECT * REPLACE (CASE WHEN customer_id IN (SELECT customer_id"
    " FROM staging.stg_shop__customers WHERE merged_into IS NULL) THEN customer_id END"
    f" AS customer_id) FROM ({ROWS})"
)
PRODUCTS = "SELECT product_id, is_recommendable FROM intermediate.int_recommendation__products"
EXCLUSIONS = (
    "SELECT customer_id, product_id FROM intermediate.int_recommendation__customer_exclusions"
)


def texts(choices: Mapping[date, Choice]) -> dict[str, str]:
    """Return for the solved table a text that differs whenever what state keeps in it does."""
    return {EVALUATION: recommender_choices.digest(choices)}


def solve(connection: duckdb.DuckDBPyConnection, name: str, choices: Mapping[date, Choice]) -> int:
    """Write the table `solved.<name>` and return its row count.

    `choices` are what state keeps, by the end of the window.
    """
    schema, batches = _SOLVERS[name](connection, choices)
    # A query of its own reads the batches while they are made: they are never all held.
    with duckdb_engine.transaction(connection):
        connection.execute("CREATE SCHEMA IF NOT EXISTS solved")
        connection.register("solved_rows", pa.RecordBatchReader.from_batches(schema, batches))
        connection.execute(f"CREATE OR REPLACE TABLE solved.{name} AS SELECT * FROM solved_rows")
    connection.unregister("solved_rows")
    [(count,)] = connection.execute(f"SELECT count(*) FROM solved.{name}").fetchall()
    return count


Batches = tuple[pa.Schema, Iterator[pa.RecordBatch]]


def _evaluation(connection: duckdb.DuckDBPyConnection, choices: Mapping[date, Choice]) -> Batches:
    [(start, end, begins_at, ends_at)] = connection.execute(
        "SELECT window_start, window_end, begins_at, ends_at"
        " FROM intermediate.int_recommendation__terms"
    ).fetchall()
    choice = choices.get(end)
    if choice is None:
        judged = recommender_gate.judge(_arrow(connection, ROWS), begins_at, ends_at)
        former = max((kept for kept in choices if kept < end), default=None)
        last = choices[former] if former else None
        chosen, status, reason = recommender_gate.choose(
            last.chosen if last else None,
            judged,
            lost_before=last is not None and recommender_gate.lost(last.figures),
        )
        choice = Choice(start, end, chosen, status, reason, judged.asked, judged.rows)
    told = (choice.window_start, choice.window_end, choice.chosen, choice.status, choice.reason)
    names = CHOICE.names
    rows = [
        dict(zip(names, (*told, choice.asked, *figures), strict=True)) for figures in choice.figures
    ]
    return CHOICE, iter(pa.Table.from_pylist(rows, schema=CHOICE).to_batches())


def _related(connection: duckdb.DuckDBPyConnection, _: Mapping[date, Choice]) -> Batches:
    products = _arrow(connection, PRODUCTS)
    known = recommendation_lists.learned(
        _arrow(connection, ROWS), products["product_id"], _chosen(connection)
    )
    return recommendation_lists.RELATED, recommendation_lists.related(known, products)


def _neighbours(connection: duckdb.DuckDBPyConnection, _: Mapping[date, Choice]) -> Batches:
    rows = _arrow(connection, OF_CUSTOMERS)
    return recommendation_lists.NEIGHBOURS, recommendation_lists.neighbours(rows)


def _recommended(connection: duckdb.DuckDBPyConnection, _: Mapping[date, Choice]) -> Batches:
    rows, products = _arrow(connection, OF_CUSTOMERS), _arrow(connection, PRODUCTS)
    [(again,)] = connection.execute(
        "SELECT is_bought_again FROM intermediate.int_recommendation__terms"
    ).fetchall()
    known = recommendation_lists.learned(rows, products["product_id"], _chosen(connection))
    return recommendation_lists.RECOMMENDED, recommendation_lists.recommended(
        known, rows, products, _arrow(connection, EXCLUSIONS), again=again
    )


_SOLVERS: Mapping[str, Callable[[duckdb.DuckDBPyConnection, Mapping[date, Choice]], Batches]] = {
    EVALUATION: _evaluation,
    "related_products": _related,
    "customer_neighbours": _neighbours,
    "customer_recommendations": _recommended,
}


def _chosen(connection: duckdb.DuckDBPyConnection) -> str:
    choice = recommender_choices.built(connection)
    assert choice is not None  # the evaluation is solved before
    return choice.chosen


def _arrow(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    return connection.sql(query).to_arrow_table()
