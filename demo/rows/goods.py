"""What moved in and out of the stock: the tables that `stock.movements` works on."""

from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa

from demo.draws import Draws
from demo.parameters import Parameters
from demo.rows import stock
from demo.rows.catalogue import ARTICLE, Catalogue
from demo.rows.columns import DAY, instants, picked, seconds_of

LEAST = 60  # units to which a delivery fills up at least
WEEKS = 3  # of usual sales that a level covers
LINES, UNITS = 4.4, 6.3  # usual lines of an order, units of a line
COUNTED_SHARE = 0.05  # articles whose stock a monthly count finds wrong

# One article per code, letter case aside; capitals sort first.
ARTICLES = """
create table articles as
select
    product.product_id,
    product.created_at,
    coalesce(product.ended_at, timestamptz '3000-01-01') as ended_at,
    coalesce(level.level, $least) as level
from products as product
left join levels as level using (product_id)
where
    regexp_matches(product.product_id, $article)
    and product.product_id in (
        select min(other.product_id) from products as other group by upper(other.product_id)
    )
"""
# Twice the best week of the first real orders: what came later does not change it.
LEVELS = """
create table levels as
select product_id, cast(greatest($least, 2 * max(units)) as integer) as level
from (
    select
        min(line.product_id) as product_id,
        date_trunc('week', ordered.ordered_at) as week,
        sum(line.quantity) as units
    from first_lines as line
    inner join first_orders as ordered using (order_id)
    where line.quantity > 0
    group by upper(line.product_id), week
)
group by product_id
"""
GOODS = """
create table goods as
select
    line.product_id,
    -line.quantity as quantity,
    case when line.quantity > 0 then 'sale' else 'adjustment' end as kind,
    ordered.ordered_at as went_at
from order_lines as line
inner join orders as ordered using (order_id)
where ordered.cancelled_at is null and ordered.deleted_at is null
union all
select product_id, quantity, 'return', refunded_at from refunds
union all
select product_id, quantity, 'adjustment', counted_at from counts
"""


def movements(
    rows: dict[str, pa.Table],
    outs: pa.Table,
    first: dict[str, pa.Table] | None,
    catalogue: Catalogue | None,
    seed: int,
    scale: float,
    start: int | None,
    opened: datetime,
    now: datetime,
    parameters: Parameters,
) -> pa.Table:
    """Return the rows of inventory_movements up to `now`.

    `rows` holds products, orders, order_lines and refunds, `first` orders and order_lines of the
    first real orders (None in a made-up shop). A negative quantity on an order (damages) is an
    adjustment.
    """
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name in ("products", "orders", "order_lines", "refunds"):
            connection.register(name, rows[name])
        connection.register("outs", outs)
        connection.register("counts", _counts(catalogue, seed, start, seconds_of(now)))
        if first is not None:
            connection.register("first_orders", first["orders"])
            connection.register("first_lines", first["order_lines"])
            connection.execute(LEVELS, {"least": LEAST})
        else:
            assert catalogue is not None
            connection.register("levels", _usual_levels(catalogue, scale, parameters))
        connection.execute(ARTICLES, {"least": LEAST, "article": ARTICLE})
        connection.execute(GOODS)
        return stock.movements(connection, opened.isoformat(), now.isoformat())


def _usual_levels(catalogue: Catalogue, scale: float, parameters: Parameters) -> pa.Table:
    weights = np.arange(1, len(catalogue) + 1) ** -parameters.popularity_slope
    weekly = parameters.orders_per_day * 7 * scale * LINES * UNITS * weights / weights.sum()
    levels = LEAST + np.ceil(WEEKS * weekly).astype(np.int64)
    return pa.table({"product_id": pa.array(catalogue.ids, pa.string()), "level": levels})


def _counts(catalogue: Catalogue | None, seed: int, start: int | None, until: int) -> pa.Table:
    """Return what monthly counts found: a few units less or more, of articles never sold out."""
    count = 0 if catalogue is None else len(catalogue)
    first = start or 0
    months = 0 if catalogue is None else max(0, (until - first) // (30 * DAY))
    month = np.repeat(np.arange(1, months + 1), count)
    article = np.tile(np.arange(count), months)
    draws = Draws(seed, "count", ((month << 32) + article).astype(np.uint64))
    found = np.flatnonzero((article % 2 == 0) & (draws.uniform("wrong") < COUNTED_SHARE))
    quantity = draws.integers("quantity", -4, 3)[found]
    return pa.table(
        {
            "product_id": picked(
                pa.array([] if catalogue is None else catalogue.ids, pa.string()), article[found]
            ),
            "quantity": quantity,
            "counted_at": instants(first + month[found] * 30 * DAY + 12 * 3600),
        }
    )
