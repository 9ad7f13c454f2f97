"""Make the raw tables that the dbt project reads, from literal rows or from the real orders."""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

COLUMNS: dict[str, str] = {
    "raw_shop.users": "user_id varchar, email varchar, birth_date integer, gender varchar, "
    "country varchar, created_at timestamptz, marketing_consent boolean, account_status varchar, "
    "merged_into varchar, updated_at timestamptz",
    "raw_shop.products": "product_id varchar, name varchar, category varchar, brand varchar, "
    "list_price decimal(12,3), currency varchar, is_commissionable boolean, is_active boolean, "
    "created_at timestamptz, updated_at timestamptz",
    "raw_shop.product_prices": "product_id varchar, valid_from timestamptz, "
    "price decimal(12,3), currency varchar, updated_at timestamptz",
    "raw_shop.inventory": "product_id varchar, on_hand integer, updated_at timestamptz",
    "raw_shop.inventory_movements": "movement_id varchar, product_id varchar, kind varchar, "
    "quantity integer, moved_at timestamptz, updated_at timestamptz",
    "raw_shop.orders": "order_id varchar, user_id varchar, visitor_id varchar, "
    "ordered_at timestamptz, status varchar, country varchar, currency varchar, "
    "coupon_code varchar, updated_at timestamptz",
    "raw_shop.order_lines": "order_line_id varchar, order_id varchar, product_id varchar, "
    "quantity integer, unit_price decimal(12,3), entered_at timestamptz, updated_at timestamptz",
    "raw_shop.refunds": "refund_id varchar, refund_document_id varchar, order_id varchar, "
    "order_line_id varchar, user_id varchar, product_id varchar, quantity integer, "
    "unit_price decimal(12,3), amount decimal(14,3), currency varchar, country varchar, "
    "refunded_at timestamptz, updated_at timestamptz",
    "raw_shop.campaigns": "campaign_id varchar, name varchar, channel varchar, "
    "utm_campaign varchar, started_on date, ended_on date, budget decimal(12,2), "
    "currency varchar, updated_at timestamptz",
    "raw_shop.ad_spend": "spend_date date, campaign_id varchar, amount decimal(12,2), "
    "currency varchar, impressions bigint, clicks bigint, updated_at timestamptz",
    "raw_shop.payments": "payment_id varchar, order_id varchar, kind varchar, "
    "amount decimal(14,3), currency varchar, status varchar, paid_at timestamptz, "
    "updated_at timestamptz",
    "raw_shop.affiliates": "affiliate_id varchar, name varchar, user_id varchar, status varchar, "
    "joined_at timestamptz, payout_currency varchar, minimum_payout decimal(12,2), "
    "updated_at timestamptz",
    "raw_shop.commission_plans": "plan_id varchar, affiliate_id varchar, category varchar, "
    "tier integer, tier_min_sales decimal(12,2), rate decimal(6,4), window_days integer, "
    "hold_days integer, valid_from timestamptz, valid_to timestamptz, updated_at timestamptz",
    "raw_shop.fx_rates": "rate_date date, currency varchar, rate decimal(18,8), "
    "updated_at timestamptz",
    "raw_activity.campaign_events": "event_id varchar, received_at varchar, event_type varchar, "
    "occurred_at varchar, visitor_id varchar, customer_id varchar, campaign_id varchar, "
    "channel varchar, utm_source varchar, utm_medium varchar, utm_campaign varchar, "
    "utm_content varchar, utm_term varchar, landing_page varchar, referrer varchar, "
    "device varchar, country varchar, age_band varchar, gender varchar, is_bot boolean",
    "raw_activity.product_events": "pk varchar, sk varchar, type varchar, event_id varchar, "
    "visitor_id varchar, customer_id varchar, product_id varchar, event_type varchar, "
    "occurred_at varchar, price decimal(18,4)",
    "raw_activity.searches": "pk varchar, sk varchar, type varchar, search_id varchar, "
    "visitor_id varchar, customer_id varchar, query varchar, result_count bigint, "
    "clicked_product_id varchar, occurred_at varchar",
    "raw_activity.cart_events": "pk varchar, sk varchar, type varchar, event_id varchar, "
    "cart_id varchar, visitor_id varchar, customer_id varchar, product_id varchar, "
    "action varchar, quantity bigint, unit_price decimal(18,4), occurred_at varchar",
    "raw_activity.trigger_sends": "pk varchar, sk varchar, type varchar, trigger_id varchar, "
    "customer_id varchar, product_id varchar, kind varchar, sent_at varchar",
    "raw_activity.affiliate_clicks": "click_id varchar, received_at varchar, "
    "affiliate_id varchar, occurred_at varchar, visitor_id varchar, customer_id varchar, "
    "product_id varchar, landing_page varchar, ip varchar, user_agent varchar",
}
METADATA = (
    "_cell varchar default 'main', _load_id varchar default 'load-1', "
    "_loaded_at timestamptz default timestamptz '2011-09-01', _source_position bigint default 1, "
    "_deleted_at timestamptz"
)


def create_raw(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the empty raw tables, and the solvers' empty ones."""
    for schema in ("raw_shop", "raw_activity", "solved"):
        connection.execute(f"create schema if not exists {schema}")
    for table, columns in COLUMNS.items():
        attributes = ", _attributes varchar" if table.startswith("raw_activity") else ""
        connection.execute(f"create or replace table {table} ({columns}, {METADATA}{attributes})")


def insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, Any]]
) -> None:
    """Insert rows that name only the columns that matter; timestamps may be text."""
    for row in rows:
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))
