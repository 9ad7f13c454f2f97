"""Who visited the shop around its orders, and when: each visit drawn from an order's id."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from demo.draws import Draws, key_of, keys_of

# Sessions before an order, the buying one included: 1, 2, 3 or 4.
SESSION_SHARES = (0.52, 0.29, 0.14, 0.05)
STRANGER_SHARE = 0.3  # orders around which somebody else looked and did not buy
BOT_SHARE = 0.06  # of the strangers

ORDERS = """
select
    orders.order_id,
    orders.user_id,
    orders.visitor_id,
    orders.country,
    orders.ordered_at,
    users.birth_date,
    users.gender,
    line.wanted
from orders
left join users on orders.user_id = users.user_id
inner join (
    -- Lines entered with the document: what is added to it later changes nothing here.
    select
        order_id,
        list(
            {'product': product_id, 'price': unit_price, 'quantity': quantity}
            order by cast(split_part(order_line_id, '-', 2) as integer)
        )[1:2] as wanted
    from order_lines
    inner join orders using (order_id)
    where entered_at = ordered_at and quantity > 0 and unit_price > 0
    group by order_id
) as line on orders.order_id = line.order_id
where orders.visitor_id is not null
order by orders.order_id
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """One session of one visitor."""

    key: str  # names the session for draws and event ids
    visitor: str
    customer: str | None  # None while nobody signed in
    started: datetime
    country: str | None
    birth_date: date | None
    gender: str | None
    wanted: list[dict[str, Any]]  # product, price, quantity
    buys: bool = False
    is_bot: bool = False


def visits_of(rows: Mapping[str, pa.Table], seed: int) -> Iterator[Visit]:
    """Yield the visits around every order of a known browser, past the demo's clock included."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    for name in ("users", "orders", "order_lines"):
        connection.register(name, rows[name])
    found = connection.sql(ORDERS).to_arrow_table().to_pylist()
    draws = Draws(seed, "journey", keys_of(row["order_id"] for row in found))
    counts = 1 + draws.choices("sessions", SESSION_SHARES)
    strangers = draws.uniform("stranger") < STRANGER_SHARE
    bots = draws.uniform("bot") < BOT_SHARE
    for place, row in enumerate(found):
        order, ordered_at = row["order_id"], row["ordered_at"]
        buying = Visit(
            key=f"{order}/0",
            visitor=row["visitor_id"],
            customer=row["user_id"] if draws.uniform("signed in 0")[place] < 0.85 else None,
            started=ordered_at - timedelta(minutes=6 + 18 * draws.uniform("start 0")[place]),
            country=row["country"],
            birth_date=row["birth_date"],
            gender=row["gender"],
            wanted=row["wanted"],
            buys=True,
        )
        yield buying
        for number in range(1, int(counts[place])):
            days = 0.2 + 9 * (number - 1) + 9 * float(draws.uniform(f"start {number}")[place])
            signed_in = draws.uniform(f"signed in {number}")[place] < 0.3
            yield replace(
                buying,
                key=f"{order}/{number}",
                customer=row["user_id"] if signed_in else None,
                started=ordered_at - timedelta(days=days),
                wanted=row["wanted"][:1],
                buys=False,
            )
        if strangers[place]:
            yield Visit(
                key=f"{order}/stranger",
                visitor=f"v{key_of(f'stranger/{order}'):016x}",
                customer=None,
                started=ordered_at + timedelta(days=6 * float(draws.uniform("when")[place]) - 3),
                country=row["country"],
                birth_date=None,
                gender=None,
                wanted=row["wanted"][:1],
                is_bot=bool(bots[place]),
            )
