"""The orders around which visits are laid, and what can be looked at, as arrays."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from demo.activity.columns import DAY, Millis, Places
from demo.draws import Keys, keys_of
from demo.history import History
from demo.scenarios import PREFIX

SHOP_ZONE = ZoneInfo("Europe/London")
WANTED = 3  # articles of an order that are looked at and put into the cart

# Articles begin with five digits; postage and fees are no pages of the shop. Only lines entered
# with the document: what is added to it later changes nothing here.
LINES = f"""
create table articles as
select
    orders.order_id,
    orders.ordered_at,
    order_lines.order_line_id,
    products.place as product,
    order_lines.quantity,
    cast(order_lines.unit_price * 1000 as bigint) as price,
    order_lines.entered_at,
    orders.is_made
from order_lines
inner join orders using (order_id)
inner join products using (product_id)
where
    order_lines.entered_at = orders.ordered_at
    and order_lines.quantity > 0
    and order_lines.unit_price > 0
    and regexp_matches(order_lines.product_id, '^[0-9]{{5}}')
    -- planted cases are known a batch at a time, later than the orders among them
    and not starts_with(orders.order_id, '{PREFIX}')
"""
TRACKED = f"""
select
    orders.order_id,
    orders.visitor_id,
    orders.user_id,
    orders.country,
    epoch_ms(orders.ordered_at) as ordered_at,
    year(users.birth_date) as born,
    users.gender,
    coalesce(wanted.lines, []) as lines
from orders
left join users using (user_id)
left join (
    select
        order_id,
        list(
            {{'product': product, 'price': price, 'quantity': quantity}}
            order by order_line_id
        )[1:{WANTED}] as lines
    from (
        select
            order_id,
            product,
            arg_min(price, order_line_id) as price,
            arg_min(quantity, order_line_id) as quantity,
            min(order_line_id) as order_line_id
        from articles
        group by order_id, product
    )
    group by order_id
) as wanted using (order_id)
where
    orders.visitor_id is not null
    and (orders.user_id is null or not starts_with(orders.user_id, '{PREFIX}'))
order by orders.order_id
"""

# What an article cost: while orders are real, what it was last sold for, as their list has only
# the present price; from then on, its listed price.
PRICES = """
select key, arg_min(price, order_line_id) as price
from (
    select (product << 34) + epoch_ms(entered_at) // 1000 as key, price, order_line_id
    from articles
    where not is_made
    union all
    select
        (products.place << 34) + epoch_ms(prices.valid_from) // 1000 as key,
        cast(prices.price * 1000 as bigint) as price,
        '' as order_line_id
    from prices
    inner join products using (product_id)
    where prices.valid_from >= $1
)
group by key
order by key
"""


@dataclass(frozen=True)
class Tracked:
    """Orders of known browsers in the order of their ids, and the shelf they were picked from."""

    names: pa.Array
    keys: Keys
    visitor: Keys
    customers: list[str]  # all who ordered, sorted
    customer: Places  # place in customers; -1: ordered without an account
    country: pa.Array
    born: NDArray[np.int64]  # year; 0: unknown
    gender: pa.Array
    ordered_at: Millis
    wanted: NDArray[np.int64]  # articles of the order, WANTED columns; -1: none
    prices: NDArray[np.int64]  # thousandths, as wanted
    quantities: NDArray[np.int64]  # as wanted
    products: list[str]  # all products of the shop, sorted
    shelf: Places  # products of all articles ordered so far, in the order of their time
    on_shelf: Places  # per order: how much of the shelf had been ordered before it
    price_keys: NDArray[np.int64]  # (product, second) of each price, sorted
    price_list: NDArray[np.int64]  # thousandths

    def price_at(self, product: Places, at: Millis) -> NDArray[np.int64]:
        """Return what an article cost in thousandths; before the first price, the first."""
        wanted = _price_key(product, at // 1000)
        place = np.searchsorted(self.price_keys, wanted, side="right") - 1
        first = np.searchsorted(self.price_keys, _price_key(product, np.zeros_like(at)))
        return self.price_list[np.clip(np.maximum(place, first), 0, len(self.price_list) - 1)]


def _price_key(product: Places, second: NDArray[np.int64]) -> NDArray[np.int64]:
    return (product << 34) + second


def tracked(history: History) -> Tracked:
    """Return the tracked orders of the whole history, those past the clock included."""
    names = sorted(set(history.products.column("product_id").to_pylist()))
    places = pa.table({"product_id": pa.array(names, pa.string()), "place": np.arange(len(names))})
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name in ("users", "orders", "order_lines", "prices"):
            connection.register(name, getattr(history, name))
        connection.register("products", places)
        connection.execute(LINES)
        found = connection.sql(TRACKED).to_arrow_table().combine_chunks()
        shelf = connection.sql(
            "select product, epoch_ms(entered_at) as at from articles"
            " order by entered_at, order_line_id"
        ).fetchnumpy()
        prices = connection.execute(PRICES, [history.made_from]).fetchnumpy()
    customers = sorted({str(name) for name in found.column("user_id").to_pylist() if name})
    place = {name: index for index, name in enumerate(customers)}
    ordered_at = found.column("ordered_at").to_numpy().astype(np.int64)
    wanted, price, quantity = (
        _wanted(found.column("lines").combine_chunks(), name)
        for name in ("product", "price", "quantity")
    )
    return Tracked(
        names=found.column("order_id").combine_chunks(),
        keys=keys_of(found.column("order_id").to_pylist()),
        visitor=np.array(
            [int(name[1:], 16) for name in found.column("visitor_id").to_pylist()], np.uint64
        ),
        customers=customers,
        customer=np.array(
            [place.get(name, -1) for name in found.column("user_id").to_pylist()], np.int64
        ),
        country=found.column("country").combine_chunks(),
        born=found.column("born").fill_null(0).to_numpy().astype(np.int64),
        gender=found.column("gender").combine_chunks(),
        ordered_at=ordered_at,
        wanted=wanted,
        prices=price,
        quantities=quantity,
        products=names,
        shelf=shelf["product"].astype(np.int64),
        on_shelf=np.searchsorted(shelf["at"], ordered_at).astype(np.int64),
        price_keys=prices["key"].astype(np.int64),
        price_list=prices["price"].astype(np.int64),
    )


def _wanted(lines: pa.Array, name: str) -> NDArray[np.int64]:
    """Return one field of the first lines of each order as a matrix, -1 where there is none."""
    filled = np.full((len(lines), WANTED), -1, np.int64)
    lengths = np.diff(lines.offsets.to_numpy())
    rows = np.repeat(np.arange(len(lines)), lengths)
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    filled[rows, columns] = lines.flatten().field(name).to_numpy()
    return filled


def local_days(at: Millis) -> Millis:
    """Return the millisecond (UTC) at which the shop's local day of each time begins.

    The offset is that of the day's noon: within an hour of a change of clocks it is off by one.
    """
    days, place = np.unique((at + DAY // 24) // DAY, return_inverse=True)
    starts = np.array([_midnight(int(day)) for day in days], np.int64)
    return starts[place]


def _midnight(day: int) -> int:
    noon = datetime(1970, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)
    offset = noon.astimezone(SHOP_ZONE).utcoffset() or timedelta()
    return day * DAY - int(offset.total_seconds() * 1000)
