"""The columns of the ledger's tables, as state keeps them and as dbt reads them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

# pyarrow ships no types: these are its Table, Schema and DataType.
Table = Any
Schema = Any
DataType = Any

MONEY = pa.decimal128(18, 2)
RATE = pa.decimal128(18, 8)
INSTANT = pa.timestamp("us", "UTC")

ENTRIES = pa.schema(
    [
        ("entry_id", pa.string()),
        ("transaction_id", pa.string()),
        ("account", pa.string()),
        ("affiliate_id", pa.string()),
        ("order_line_id", pa.string()),
        ("entry_type", pa.string()),
        ("amount", MONEY),
        ("currency", pa.string()),
        ("rate", RATE),
        ("fx_rate", RATE),
        ("effective_at", INSTANT),
        ("posted_at", INSTANT),
        ("period", pa.date32()),
        ("cause_type", pa.string()),
        ("cause_id", pa.string()),
        ("as_of", INSTANT),
        ("run_id", pa.string()),
    ]
)
STATEMENTS = pa.schema(
    [
        ("statement_number", pa.string()),
        ("affiliate_id", pa.string()),
        ("period", pa.date32()),
        ("currency", pa.string()),
        ("opening", MONEY),
        ("matured", MONEY),
        ("reversals", MONEY),
        ("adjustments", MONEY),
        ("payouts", MONEY),
        ("carried_forward", MONEY),
        ("closing", MONEY),
        ("payable", MONEY),
        ("net_sales", pa.decimal128(18, 4)),
        ("status", pa.string()),
        ("closed_at", INSTANT),
        ("paid_at", INSTANT),
        ("content_hash", pa.string()),
        ("due_date", pa.date32()),
        ("payout_id", pa.string()),
    ]
)
PAYMENTS = pa.schema(
    [
        ("payout_id", pa.string()),
        ("affiliate_id", pa.string()),
        ("currency", pa.string()),
        ("amount", MONEY),
        ("statement_number", pa.string()),
        ("outcome", pa.string()),
        ("exported_at", INSTANT),
    ]
)
DECISIONS = pa.schema(
    [
        ("decision_id", pa.string()),
        ("kind", pa.string()),
        ("affiliate_id", pa.string()),
        ("click_id", pa.string()),
        ("order_line_id", pa.string()),
        ("amount", MONEY),
        ("currency", pa.string()),
        ("days", pa.int32()),
        ("effective_at", INSTANT),
        ("decided_at", INSTANT),
        ("author", pa.string()),
        ("reason", pa.string()),
    ]
)


def table(rows: Iterable[Mapping[str, Any]], schema: Schema) -> Table:
    """Return rows of records of state, whose amounts and times are texts, as a table."""
    typed = [
        {field.name: _value(row.get(field.name), field.type) for field in schema} for row in rows
    ]
    return pa.Table.from_pylist(typed, schema=schema)


def _value(value: Any, kind: DataType) -> Any:
    if not isinstance(value, str) or kind == pa.string():
        return value
    if pa.types.is_decimal(kind):
        return Decimal(value)
    return date.fromisoformat(value) if kind == pa.date32() else datetime.fromisoformat(value)
