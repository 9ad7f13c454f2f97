"""Planted cases for e-mail triggers: customers who search, look or leave a cart, and nothing else.

Every 30 days of the shop bring a batch of cases, each with a customer of its own. A batch is
planned when the history reaches its end, so that it is there before its first day.
"""

from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from demo.parameters import Parameters
from demo.tables import SHOP_TABLES, empty

USERS = next(table for table in SHOP_TABLES if table.name == "users")
LINES = pa.schema(
    {
        "invoice_no": pa.string(),
        "stock_code": pa.string(),
        "description": pa.string(),
        "quantity": pa.int32(),
        "invoiced_at": pa.timestamp("us"),
        "unit_price": pa.decimal128(12, 3),
        "customer_id": pa.string(),
        "country": pa.string(),
    }
)
# Customers of planted cases are told from all others by this start of their ids.
PREFIX = "T"


@dataclass(frozen=True)
class Scenarios:
    """The people, orders, events and truth of the planted cases."""

    # Rows of table `users`, columns as in SHOP_TABLES.
    users: pa.Table
    # Document lines in the form of `orders_file.read_lines`: London wall-clock times.
    lines: pa.Table
    # Entity (product_events, searches, cart_events, trigger_sends) -> its items' columns.
    activity: dict[str, pa.Table] = field(default_factory=dict[str, pa.Table])
    # kind, customer_id, product_id, evidence_id, evidence_at, should_send, reason
    truth: pa.Table = field(default_factory=lambda: pa.table({}))


def planned(
    products: pa.Table,
    prices: pa.Table,
    stock_outs: pa.Table,
    opened: datetime,
    horizon: datetime,
    seed: int,
    parameters: Parameters,
) -> Scenarios:
    """Return the cases whose batch ends by `horizon`; a later horizon only adds cases.

    `products` has product_id, name, created_at, discontinued_at (nullable; without the column no
    product is discontinued), `prices` product_id, valid_from, price, `stock_outs` product_id,
    from_at, to_at: all as they are until the horizon, whatever the clock says.
    """
    return Scenarios(users=empty(USERS), lines=LINES.empty_table())
