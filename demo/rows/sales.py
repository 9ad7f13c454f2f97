"""Real, planned and made-up orders with their lines, refunds and payments."""

from collections.abc import Mapping

import duckdb
import numpy as np
import pyarrow as pa

from demo.draws import Draws, keys_of
from demo.parameters import Parameters
from demo.rows.columns import DAY, NEVER, instants, seconds_in
from demo.rows.made_shop import MadeRows
from demo.rows.payments import payments

Rows = Mapping[str, pa.Table]

# An order of documents that is as old as its document, and none of what is made up happens to it.
AS_WRITTEN = """
    true as has_browser,
    ordered_at as visible_at,
    cast(null as timestamptz) as cancelled_at,
    cast(null as timestamptz) as deleted_at
"""
LINE_AS_TYPED = """
    quantity as typed_quantity,
    unit_price as typed_price,
    cast(null as timestamptz) as corrected_at
"""
REFUND_AS_TYPED = "amount as typed_amount, cast(null as timestamptz) as corrected_at"
IS_SALE = "not starts_with(upper(order_id), 'A')"
TOTALS = """
select orders.*, cast(line.total as decimal(14, 3)) as total
from orders
inner join (
    select order_id, sum(quantity * unit_price) as total from order_lines group by order_id
) as line using (order_id)
where total > 0 and (orders.is_sale or orders.deleted_at is not null)
order by order_id
"""
# A document of which nothing is to be paid (adjustments, gifts) is done when it is written.
ORDERS = """
select
    orders.*,
    whens.paid_at,
    case when whens.order_id is null then orders.ordered_at else whens.shipped_at end as shipped_at
from orders
left join whens using (order_id)
order by order_id
"""


def sales(
    real: Rows | None, planned: Rows | None, made: MadeRows | None, seed: int, p: Parameters
) -> dict[str, pa.Table]:
    """Return orders, order_lines, refunds and payments, not cut at the clock.

    A number of a document that real orders use is left out of what is made up.
    """
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        tables = _documents(connection, real, planned, made)
        connection.register("orders", tables["orders"])
        connection.register("order_lines", tables["order_lines"])
        totals = connection.sql(TOTALS).to_arrow_table()
        paid, when = payments(totals, seed, p)
        connection.register("whens", _times(totals, when, seed))
        tables["orders"] = connection.sql(ORDERS).to_arrow_table()
    return tables | {"payments": paid}


def _times(orders: pa.Table, paid: pa.Array, seed: int) -> pa.Table:
    """Return when each order is paid and shipped; one that nobody pays is sent on account."""
    ids = orders.column("order_id")
    draws = Draws(seed, "shipment", keys_of(ids.to_pylist()))
    paid_at = seconds_in(paid)
    due = np.where(paid_at < NEVER, paid_at, seconds_in(orders.column("ordered_at")) + 3 * DAY)
    shipped = due + draws.integers("shipped", DAY // 3, 3 * DAY)
    return pa.table({"order_id": ids, "paid_at": paid, "shipped_at": instants(shipped)})


def _documents(
    connection: duckdb.DuckDBPyConnection,
    real: Rows | None,
    planned: Rows | None,
    made: MadeRows | None,
) -> dict[str, pa.Table]:
    """Return orders, lines and refunds of all origins in one form."""
    parts: dict[str, list[str]] = {"orders": [], "order_lines": [], "refunds": []}
    for origin, rows in (("real", real), ("planned", planned)):
        if rows is None:
            continue
        for name in parts:
            connection.register(f"{origin}_{name}", rows[name])
        is_made = origin == "planned"
        parts["orders"].append(
            f"select *, {is_made} as is_made, {IS_SALE} as is_sale, {AS_WRITTEN}"
            f" from {origin}_orders"
        )
        parts["order_lines"].append(f"select *, {LINE_AS_TYPED} from {origin}_order_lines")
        parts["refunds"].append(f"select *, {REFUND_AS_TYPED} from {origin}_refunds")
    if made is not None:
        keys = {"orders": "order_id", "order_lines": "order_id", "refunds": "refund_document_id"}
        for name, key in keys.items():
            connection.register(f"made_{name}", getattr(made, name))
            others = "" if real is None else f"anti join real_{name} using ({key})"
            if real is not None and name == "refunds":
                others += " anti join real_orders using (order_id)"
            parts[name].append(f"select * from made_{name} {others}")
    return {
        name: connection.sql(" union all by name ".join(queries)).to_arrow_table()
        for name, queries in parts.items()
    }
