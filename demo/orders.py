"""Map document lines (Online Retail's form) to the rows of the shop's tables."""

from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from demo.draws import Draws, key_of, keys_of
from demo.tables import SHOP_TABLES

LONDON = ZoneInfo("Europe/London")

# The first word found in a product's name decides; no word: `other`.
CATEGORIES = (
    ("christmas", "seasonal"),
    ("easter", "seasonal"),
    ("bag", "bags"),
    ("lunch box", "kitchen"),
    ("mug", "kitchen"),
    ("cake", "kitchen"),
    ("plate", "kitchen"),
    ("bowl", "kitchen"),
    ("cup", "kitchen"),
    ("tea", "kitchen"),
    ("jar", "kitchen"),
    ("candle", "home"),
    ("light", "home"),
    ("lantern", "home"),
    ("clock", "home"),
    ("frame", "home"),
    ("cushion", "home"),
    (" sign ", "home"),
    ("hook", "home"),
    ("card", "stationery"),
    ("wrap", "stationery"),
    ("paper", "stationery"),
    ("pencil", "stationery"),
    ("toy", "toys"),
    ("doll", "toys"),
    ("game", "toys"),
    ("garden", "garden"),
    ("plant", "garden"),
    ("flower", "garden"),
    ("necklace", "jewellery"),
    ("bracelet", "jewellery"),
    ("earring", "jewellery"),
)
BRANDS = ("Harbour & Pine", "Little Lantern", "Mill Lane", "Rosewater", "Tin Drum", "Unbranded")
GENDERS = ("female", "male", "other", None)
GENDER_SHARES = (0.50, 0.36, 0.03, 0.11)

DOCUMENTS = """
create table documents as
select
    invoice_no,
    upper(invoice_no[1]) = 'C' as is_refund,
    min(occurred_at) as document_at,
    max(position) as last_position,
    first(customer_id order by position) filter (customer_id is not null) as user_id,
    first(country order by position) filter (country is not null) as country
from lines
group by invoice_no
"""
USERS = """
select
    person.customer_id as user_id,
    'c' || person.customer_id || '@example.com' as email,
    'Customer ' || person.customer_id as name,
    drawn.birth_date,
    drawn.gender,
    person.country,
    person.created_at,
    drawn.marketing_consent,
    'active' as account_status,
    cast(null as varchar) as merged_into
from (
    select
        customer_id,
        last(country order by document_at, last_position) filter (country is not null) as country,
        min(document_at) as created_at
    from (
        select distinct customer_id, invoice_no from lines where customer_id is not null
    )
    inner join documents using (invoice_no)
    group by customer_id
) as person
inner join drawn_users as drawn on person.customer_id = drawn.user_id
order by person.customer_id
"""
PRODUCTS = """
select
    product.stock_code as product_id,
    product.name,
    coalesce(
        (
            select first(word.category order by word.place)
            from words as word
            where contains(' ' || lower(product.name) || ' ', word.word)
        ),
        'other'
    ) as category,
    drawn.brand,
    coalesce(product.list_price, 0) as list_price,
    'GBP' as currency,
    regexp_matches(product.stock_code, '^[0-9]{5}') as is_commissionable,
    true as is_active,
    product.created_at
from (
    select
        stock_code,
        last(trim(description) order by occurred_at, position)
            filter (trim(description) <> '') as name,
        last(unit_price order by occurred_at, position) filter (unit_price > 0) as list_price,
        min(occurred_at) as created_at
    from lines
    group by stock_code
) as product
inner join drawn_products as drawn on product.stock_code = drawn.product_id
order by product.stock_code
"""
ORDERS = """
select
    document.invoice_no as order_id,
    document.user_id,
    drawn.visitor_id,
    document.document_at as ordered_at,
    'shipped' as status,
    document.country,
    'GBP' as currency,
    cast(null as varchar) as coupon_code
from documents as document
inner join drawn_orders as drawn on document.invoice_no = drawn.order_id
order by document.invoice_no
"""
ORDER_LINES = """
select
    invoice_no || '-' || n as order_line_id,
    invoice_no as order_id,
    stock_code as product_id,
    quantity,
    unit_price,
    occurred_at as entered_at
from lines
inner join documents using (invoice_no)
where not is_refund
order by position
"""
REFUNDS = """
select
    line.invoice_no || '-' || line.n as refund_id,
    line.invoice_no as refund_document_id,
    cast(null as varchar) as order_id,
    cast(null as varchar) as order_line_id,
    document.user_id,
    line.stock_code as product_id,
    -line.quantity as quantity,
    line.unit_price,
    cast(-line.quantity * line.unit_price as decimal(14, 3)) as amount,
    'GBP' as currency,
    document.country,
    document.document_at as refunded_at
from lines as line
inner join documents as document using (invoice_no)
where document.is_refund
order by line.position
"""


def utc(wall: datetime) -> datetime:
    """Return the UTC time of a London wall-clock time, by the time zone's rules.

    An hour that occurs twice in autumn is taken as its first pass (summer time); one that does not
    exist in spring is read with the offset before the change, so 01:30 becomes 01:30 UTC.
    """
    return wall.replace(tzinfo=LONDON).astimezone(ZoneInfo("UTC"))


def shop_rows(lines: pa.Table, seed: int, visitor_share: float) -> dict[str, pa.Table]:
    """Return users, products, orders, order_lines and refunds for lines in file order.

    What is drawn (birth dates, brands, which orders came from a known browser) depends on the
    entity's own id only: further lines change nothing of it.
    """
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    _register_lines(connection, lines)
    connection.execute(DOCUMENTS)
    words = [(place, word, category) for place, (word, category) in enumerate(CATEGORIES)]
    places, texts, categories = zip(*words, strict=True)
    connection.register("words", pa.table({"place": places, "word": texts, "category": categories}))
    users = _column(
        connection, "select distinct customer_id from lines where customer_id is not null"
    )
    connection.register("drawn_users", _drawn_users(users, seed))
    products = _column(connection, "select distinct stock_code from lines")
    connection.register("drawn_products", _drawn_products(products, seed))
    found = connection.sql("select invoice_no, user_id from documents where not is_refund")
    orders, owners = (column.to_pylist() for column in found.to_arrow_table().columns)
    connection.register("drawn_orders", _drawn_orders(orders, owners, seed, visitor_share))
    queries = {
        "users": USERS,
        "products": PRODUCTS,
        "orders": ORDERS,
        "order_lines": ORDER_LINES,
        "refunds": REFUNDS,
    }
    rows = {name: connection.sql(query).to_arrow_table() for name, query in queries.items()}
    return {table.name: rows[table.name] for table in SHOP_TABLES if table.name in rows}


def _register_lines(connection: duckdb.DuckDBPyConnection, lines: pa.Table) -> None:
    """Number the lines of each document from 1 in file order, and give their times in UTC."""
    walls = lines.column("invoiced_at").unique()
    times = pa.array([utc(wall) for wall in walls.to_pylist()], pa.timestamp("us", "UTC"))
    connection.register("walls", pa.table({"invoiced_at": walls, "occurred_at": times}))
    positions = pa.array(np.arange(lines.num_rows))
    connection.register("given", lines.append_column("position", positions))
    connection.execute(
        """
        create table lines as
        select
            given.* exclude (invoiced_at),
            walls.occurred_at,
            row_number() over (partition by given.invoice_no order by given.position) as n
        from given
        inner join walls using (invoiced_at)
        """
    )


def _column(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [str(row[0]) for row in connection.sql(query).fetchall()]


def _drawn_users(users: list[str], seed: int) -> pa.Table:
    draws = Draws(seed, "user", keys_of(users))
    days = draws.integers("birth date", -12_800, 12_000)  # 1934-12 to 2002-11
    dates = pa.array(days.astype("datetime64[D]"), mask=draws.uniform("no birth date") < 0.12)
    genders = [GENDERS[index] for index in draws.choices("gender", GENDER_SHARES)]
    return pa.table(
        {
            "user_id": pa.array(users, pa.string()),
            "birth_date": dates,
            "gender": pa.array(genders, pa.string()),
            "marketing_consent": pa.array(draws.uniform("consent") < 0.62),
        }
    )


def _drawn_products(products: list[str], seed: int) -> pa.Table:
    # Codes that differ by letter case only are one article, so they share a brand.
    draws = Draws(seed, "product", keys_of(product.upper() for product in products))
    brands = [BRANDS[index] for index in draws.integers("brand", 0, len(BRANDS))]
    return pa.table(
        {"product_id": pa.array(products, pa.string()), "brand": pa.array(brands, pa.string())}
    )


def visitors(owners: list[str], devices: NDArray[np.int64]) -> list[str]:
    """Return the browser's id for each owner (a customer, or an order without one) and device."""
    pairs = zip(owners, devices, strict=True)
    return [f"v{key_of(f'visitor/{owner}/{device}'):016x}" for owner, device in pairs]


def _drawn_orders(
    orders: list[str], owners: list[str | None], seed: int, visitor_share: float
) -> pa.Table:
    draws = Draws(seed, "order", keys_of(orders))
    known = draws.uniform("visitor known") < visitor_share
    named = [owner or f"order {order}" for order, owner in zip(orders, owners, strict=True)]
    found = visitors(named, draws.choices("device", (0.75, 0.25)))
    return pa.table(
        {
            "order_id": pa.array(orders, pa.string()),
            "visitor_id": pa.array(found, pa.string(), mask=~known),
        }
    )
