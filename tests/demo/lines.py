"""Document lines written as short rows."""

from datetime import datetime
from decimal import Decimal

import pyarrow as pa

SCHEMA = pa.schema(
    [
        ("invoice_no", pa.string()),
        ("stock_code", pa.string()),
        ("description", pa.string()),
        ("quantity", pa.int32()),
        ("invoiced_at", pa.timestamp("us")),
        ("unit_price", pa.decimal128(12, 3)),
        ("customer_id", pa.string()),
        ("country", pa.string()),
    ]
)


def lines_of(*rows: str) -> pa.Table:
    """Return lines from `invoice | code | description | quantity | time | price | customer`."""
    columns: list[list[object]] = [[] for _ in SCHEMA]
    for row in rows:
        invoice, code, name, quantity, time, price, customer = (
            part.strip() or None for part in row.split("|")
        )
        assert quantity
        assert time
        assert price
        found = (
            *(invoice, code, name, int(quantity), datetime.fromisoformat(time)),
            *(Decimal(price), customer, "United Kingdom"),
        )
        for column, value in zip(columns, found, strict=True):
            column.append(value)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.table(arrays, schema=SCHEMA)
