"""Solve what SQL cannot, and lay out what state keeps: into the schema `solved`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from analytics import channel_weights, refund_allocation
from analytics.channel_weights import Weight
from orchestration import lineage
from warehouse.engines import duckdb_engine
from warehouse.publish import final_figures

FIGURES = pa.schema(
    [
        ("period", pa.date32()),
        ("model", pa.string()),
        ("channel", pa.string()),
        ("campaign_id", pa.string()),
        ("revision", pa.int64()),
        ("restated_at", pa.timestamp("us", "UTC")),
        ("reason", pa.string()),
        ("old_orders", pa.decimal128(24, 12)),
        ("old_revenue", pa.decimal128(18, 4)),
        ("old_net_revenue", pa.decimal128(18, 4)),
        ("new_orders", pa.decimal128(24, 12)),
        ("new_revenue", pa.decimal128(18, 4)),
        ("new_net_revenue", pa.decimal128(18, 4)),
    ]
)
RESTATED = pa.schema([("period", pa.date32()), ("reason", pa.string())])


@dataclass(frozen=True, slots=True)
class Kept:
    """What a build takes from state: the weights of final months, and the figures they had.

    `restated` are the months that it fits anew, with the reason.
    """

    weights: Mapping[date, Sequence[Weight]] = field(default_factory=dict[date, Sequence[Weight]])
    figures: Sequence[Mapping[str, Any]] = ()
    restated: Mapping[date, str | None] = field(default_factory=dict[date, "str | None"])


NOTHING = Kept()


def write(connection: duckdb.DuckDBPyConnection, name: str, kept: Kept = NOTHING) -> int:
    """Write the table `solved.<name>` and return its row count."""
    inputs = [
        connection.table(f"intermediate.{model}").to_arrow_table() for model in lineage.SOLVED[name]
    ]
    rows = _solved(name, inputs, kept)
    with duckdb_engine.transaction(connection):
        connection.execute("CREATE SCHEMA IF NOT EXISTS solved")
        connection.register("solved_rows", rows)
        connection.execute(f"CREATE OR REPLACE TABLE solved.{name} AS SELECT * FROM solved_rows")
    connection.unregister("solved_rows")
    return rows.num_rows


def _solved(name: str, inputs: Sequence[pa.Table], kept: Kept) -> pa.Table:
    match name:
        case "refund_allocations":
            refunds, lines = inputs
            return refund_allocation.allocate(refunds, lines)
        case "channel_weights":
            path_counts, periods = inputs
            return channel_weights.solve(path_counts, periods, kept.weights)
        case "campaign_figures":
            columns = {
                name: [_value(name, row[name]) for row in kept.figures]
                for name in final_figures.COLUMNS
            }
            return pa.Table.from_pydict(columns, schema=FIGURES)
        case _:
            months = [
                {"period": period, "reason": reason}
                for period, reason in sorted(kept.restated.items())
            ]
            return pa.Table.from_pylist(months, schema=RESTATED)


def _value(name: str, text: Any) -> Any:
    """Return a value of a record of state as its column has it."""
    if text is None or FIGURES.field(name).type in (pa.string(), pa.int64()):
        return text
    if name == "period":
        return date.fromisoformat(text)
    return datetime.fromisoformat(text) if name == "restated_at" else Decimal(text)
