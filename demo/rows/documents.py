"""Map document lines (Online Retail's form) to the rows of the shop's tables."""

from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa

from demo.draws import Draws, keys_of
from demo.rows.columns import LONDON
from demo.rows.people import drawn_users

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
    document.document_at as ordered_at,
    'shipped' as status,
    document.country,
    'GBP' as currency,
    cast(null as varchar) as coupon_code
from documents as document
where not is_refund
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


def document_rows(lines: pa.Table, seed: int) -> dict[str, pa.Table]:
    """Return users, products, orders (no visitor), order_lines and refunds, lines in file order.

    What is drawn (birth dates, brands) depends on the entity's own id only: further lines change
    nothing of it.
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
    connection.register("drawn_users", drawn_users(users, keys_of(users), seed))
    products = _column(connection, "select distinct stock_code from lines")
    brands = pa.array(drawn_brands(products, seed), pa.string())
    drawn = pa.table({"product_id": pa.array(products, pa.string()), "brand": brands})
    connection.register("drawn_products", drawn)
    queries = {
        "users": USERS,
        "products": PRODUCTS,
        "orders": ORDERS,
        "order_lines": ORDER_LINES,
        "refunds": REFUNDS,
    }
    return {name: connection.sql(query).to_arrow_table() for name, query in queries.items()}


def drawn_brands(products: list[str], seed: int) -> list[str]:
    """Return the brand of each product; codes that differ by letter case only share one."""
    draws = Draws(seed, "product", keys_of(product.upper() for product in products))
    return [BRANDS[index] for index in draws.integers("brand", 0, len(BRANDS))]


def category_of(name: str | None) -> str:
    """Return the category that a product's name stands for, as PRODUCTS does."""
    text = f" {(name or '').lower()} "
    return next((category for word, category in CATEGORIES if word in text), "other")


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
