"""Solve what SQL cannot: from models of the build database into the schema `solved`."""

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

from analytics import channel_weights, refund_allocation
from analytics.channel_weights import Weight
from orchestration import lineage
from warehouse.engines import duckdb_engine

Kept = Mapping[date, Sequence[Weight]]


def write(connection: duckdb.DuckDBPyConnection, name: str, kept: Kept) -> int:
    """Write the table `solved.<name>` and return its row count.

    `kept` are the weights of months that are final: they are not fitted again.
    """
    first, second = (
        connection.table(f"intermediate.{model}").to_arrow_table() for model in lineage.SOLVED[name]
    )
    if name == "refund_allocations":
        solved = refund_allocation.allocate(first, second)
    else:
        solved = channel_weights.solve(first, second, kept)
    with duckdb_engine.transaction(connection):
        connection.execute("CREATE SCHEMA IF NOT EXISTS solved")
        connection.register("solved_rows", solved)
        connection.execute(f"CREATE OR REPLACE TABLE solved.{name} AS SELECT * FROM solved_rows")
    connection.unregister("solved_rows")
    return solved.num_rows
