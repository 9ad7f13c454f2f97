"""The shop's tables, in PostgreSQL and in DynamoDB: names, columns, keys."""

from dataclasses import dataclass

import pyarrow as pa

REGION = "eu-west-2"

# table -> (hash key, range key), both text
DYNAMODB_TABLES = {
    "campaign_events": ("event_id", "received_at"),
    "affiliate_clicks": ("click_id", "received_at"),
    "shop_activity": ("pk", "sk"),
}


@dataclass(frozen=True, slots=True)
class ShopTable:
    """One table of the shop's database; every table also has `updated_at`."""

    name: str
    key: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]  # name, PostgreSQL type
    references: tuple[tuple[str, str], ...] = ()  # column, table it refers to by its key

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, `updated_at` left out."""
        return tuple(name for name, _ in self.columns)


# In the order in which rows can be inserted: what is referred to comes first. There are no CHECK
# constraints: a shop's database holds broken rows, and a test must be able to write one.
SHOP_TABLES = (
    ShopTable(
        "users",
        ("user_id",),
        (
            ("user_id", "text"),
            ("email", "text"),
            ("name", "text"),
            ("birth_date", "date"),
            ("gender", "text"),
            ("country", "text"),
            ("created_at", "timestamptz"),
            ("marketing_consent", "boolean"),
            ("account_status", "text"),
            ("merged_into", "text"),
        ),
    ),
    ShopTable(
        "addresses",
        ("address_id",),
        (
            ("address_id", "text"),
            ("user_id", "text"),
            ("kind", "text"),
            ("line1", "text"),
            ("city", "text"),
            ("postcode", "text"),
            ("country", "text"),
            ("created_at", "timestamptz"),
        ),
        (("user_id", "users"),),
    ),
    ShopTable(
        "products",
        ("product_id",),
        (
            ("product_id", "text"),
            ("name", "text"),
            ("category", "text"),
            ("brand", "text"),
            ("list_price", "numeric(12,3)"),
            ("currency", "text"),
            ("is_commissionable", "boolean"),
            ("is_active", "boolean"),
            ("created_at", "timestamptz"),
        ),
    ),
    ShopTable(
        "product_prices",
        ("product_id", "valid_from"),
        (
            ("product_id", "text"),
            ("valid_from", "timestamptz"),
            ("price", "numeric(12,3)"),
            ("currency", "text"),
        ),
        (("product_id", "products"),),
    ),
    ShopTable(
        "inventory",
        ("product_id",),
        (("product_id", "text"), ("on_hand", "integer")),
        (("product_id", "products"),),
    ),
    ShopTable(
        "inventory_movements",
        ("movement_id",),
        (
            ("movement_id", "text"),
            ("product_id", "text"),
            ("kind", "text"),
            ("quantity", "integer"),
            ("moved_at", "timestamptz"),
        ),
        (("product_id", "products"),),
    ),
    ShopTable(
        "orders",
        ("order_id",),
        (
            ("order_id", "text"),
            ("user_id", "text"),
            ("visitor_id", "text"),
            ("ordered_at", "timestamptz"),
            ("status", "text"),
            ("country", "text"),
            ("currency", "text"),
            ("coupon_code", "text"),
        ),
        (("user_id", "users"),),
    ),
    ShopTable(
        "order_lines",
        ("order_line_id",),
        (
            ("order_line_id", "text"),
            ("order_id", "text"),
            ("product_id", "text"),
            ("quantity", "integer"),
            ("unit_price", "numeric(12,3)"),
            ("entered_at", "timestamptz"),
        ),
        (("order_id", "orders"), ("product_id", "products")),
    ),
    ShopTable(
        "refunds",
        ("refund_id",),
        (
            ("refund_id", "text"),
            ("refund_document_id", "text"),
            ("order_id", "text"),
            ("order_line_id", "text"),
            ("user_id", "text"),
            ("product_id", "text"),
            ("quantity", "integer"),
            ("unit_price", "numeric(12,3)"),
            ("amount", "numeric(14,3)"),
            ("currency", "text"),
            ("country", "text"),
            ("refunded_at", "timestamptz"),
        ),
        (
            ("order_id", "orders"),
            ("order_line_id", "order_lines"),
            ("user_id", "users"),
            ("product_id", "products"),
        ),
    ),
    # A payment provider reports payments by itself: no reference holds them back.
    ShopTable(
        "payments",
        ("payment_id",),
        (
            ("payment_id", "text"),
            ("order_id", "text"),
            ("kind", "text"),
            ("amount", "numeric(14,3)"),
            ("currency", "text"),
            ("status", "text"),
            ("paid_at", "timestamptz"),
        ),
    ),
    ShopTable(
        "campaigns",
        ("campaign_id",),
        (
            ("campaign_id", "text"),
            ("name", "text"),
            ("channel", "text"),
            ("utm_campaign", "text"),
            ("started_on", "date"),
            ("ended_on", "date"),
            ("budget", "numeric(12,2)"),
            ("currency", "text"),
        ),
    ),
    ShopTable(
        "ad_spend",
        ("spend_date", "campaign_id"),
        (
            ("spend_date", "date"),
            ("campaign_id", "text"),
            ("amount", "numeric(12,2)"),
            ("currency", "text"),
            ("impressions", "bigint"),
            ("clicks", "bigint"),
        ),
        (("campaign_id", "campaigns"),),
    ),
    ShopTable(
        "affiliates",
        ("affiliate_id",),
        (
            ("affiliate_id", "text"),
            ("name", "text"),
            ("user_id", "text"),
            ("status", "text"),
            ("joined_at", "timestamptz"),
            ("payout_currency", "text"),
            ("minimum_payout", "numeric(12,2)"),
        ),
        (("user_id", "users"),),
    ),
    ShopTable(
        "commission_plans",
        ("plan_id",),
        (
            ("plan_id", "text"),
            ("affiliate_id", "text"),
            ("category", "text"),
            ("tier", "integer"),
            ("tier_min_sales", "numeric(12,2)"),
            ("rate", "numeric(6,4)"),
            ("window_days", "integer"),
            ("hold_days", "integer"),
            ("valid_from", "timestamptz"),
            ("valid_to", "timestamptz"),
        ),
        (("affiliate_id", "affiliates"),),
    ),
    ShopTable(
        "fx_rates",
        ("rate_date", "currency"),
        (("rate_date", "date"), ("currency", "text"), ("rate", "numeric(18,8)")),
    ),
)

ARROW_TYPES = {
    "text": pa.string(),
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", "UTC"),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
}


def arrow_type(kind: str) -> pa.DataType:
    """Return the Arrow type of a PostgreSQL type used in SHOP_TABLES."""
    if kind.startswith("numeric"):
        precision, scale = (int(part) for part in kind[8:-1].split(","))
        return pa.decimal128(precision, scale)
    return ARROW_TYPES[kind]


def empty(table: ShopTable) -> pa.Table:
    """Return the table without a row."""
    return pa.schema([(name, arrow_type(kind)) for name, kind in table.columns]).empty_table()
