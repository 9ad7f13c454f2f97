"""Each table as it stands at the clock, from rows that know when they change.

What is not there yet or no longer is left out; what was typed wrong stands wrong until it is
corrected; accounts are merged from the day on which somebody merged them.
"""

import duckdb
import pyarrow as pa

from demo.tables import SHOP_TABLES

# The accounts merged by now; nobody's survivor is merged, so one step is enough.
MERGED = """
create view merged as
select user_id, merged_into from merges where merged_at <= $now
"""

# A line, payment or refund of an order goes when its order is removed.
QUERIES = {
    "users": """
        select
            users.* exclude (account_status, merged_into, closed_at),
            case
                when merged.merged_into is not null then 'merged'
                when closed_at <= $now then 'closed'
                else 'active'
            end as account_status,
            merged.merged_into
        from users
        left join merged using (user_id)
        where created_at <= $now
    """,
    "addresses": """
        select
            address.address_id,
            address.user_id,
            address.kind,
            case when moved_at <= $now then moved_line1 else line1 end as line1,
            case when moved_at <= $now then moved_city else city end as city,
            case when moved_at <= $now then moved_postcode else postcode end as postcode,
            address.country,
            address.created_at
        from addresses as address
        inner join users using (user_id)
        where address.created_at <= $now and coalesce(users.closed_at > $now, true)
    """,
    "products": """
        select
            product_id,
            case when renamed_at <= $now then 'SET OF 2 ' || name else name end as name,
            category,
            brand,
            coalesce(price.price, product.list_price) as list_price,
            'GBP' as currency,
            is_commissionable,
            coalesce(ended_at > $now, true) as is_active,
            product.created_at
        from products as product
        left join (
            select product_id, last(price order by valid_from) as price
            from prices
            where valid_from <= $now
            group by product_id
        ) as price using (product_id)
        where product.created_at <= $now
    """,
    "product_prices": """
        select product_id, valid_from, price, 'GBP' as currency
        from prices
        where valid_from <= $now
    """,
    "inventory": """
        select product_id, cast(sum(quantity) as integer) as on_hand
        from movements
        where moved_at <= $now
        group by product_id
    """,
    "inventory_movements": "select * from movements where moved_at <= $now",
    "orders": """
        select
            order_id,
            coalesce(merged.merged_into, user_id) as user_id,
            visitor_id,
            ordered_at,
            case
                when not is_made then 'shipped'
                when cancelled_at <= $now then 'cancelled'
                when shipped_at <= $now then 'shipped'
                when paid_at <= $now then 'paid'
                else 'placed'
            end as status,
            country,
            currency,
            coupon_code
        from shown_orders
        left join merged using (user_id)
    """,
    "order_lines": """
        select
            line.order_line_id,
            order_id,
            line.product_id,
            case when corrected_at > $now then typed_quantity else quantity end as quantity,
            case when corrected_at > $now then typed_price else unit_price end as unit_price,
            line.entered_at
        from order_lines as line
        inner join shown_orders using (order_id)
        where line.entered_at <= $now
    """,
    "refunds": """
        select
            refund.* exclude (user_id, amount, typed_amount, corrected_at),
            coalesce(merged.merged_into, refund.user_id) as user_id,
            case when corrected_at > $now then typed_amount else amount end as amount
        from refunds as refund
        left join merged using (user_id)
        where refund.refunded_at <= $now
    """,
    "payments": """
        select
            payment_id,
            order_id,
            kind,
            amount,
            currency,
            case when settled_at > $now then 'pending' else status end as status,
            paid_at
        from payments
        where paid_at <= $now and coalesce(deleted_at > $now, true)
    """,
    "affiliates": """
        select
            affiliate_id,
            name,
            user_id,
            case
                when closed_at <= $now then 'closed'
                when suspended_at <= $now then 'suspended'
                else 'active'
            end as status,
            joined_at,
            payout_currency,
            minimum_payout
        from affiliates
        where joined_at <= $now
    """,
    "commission_plans": """
        select
            * exclude (ends_at),
            case when ends_at <= $now then ends_at end as valid_to
        from commission_plans
        where valid_from <= $now
    """,
    "fx_rates": """
        select
            rate_date,
            currency,
            case when corrected_at > $now then typed_rate else rate end as rate
        from fx_rates
        where published_at <= $now
    """,
}
SHOWN_ORDERS = """
create view shown_orders as
select * from orders where visible_at <= $now and coalesce(deleted_at > $now, true)
"""


def shown(life: dict[str, pa.Table], now: str) -> dict[str, pa.Table]:
    """Return the rows of each table at `now` (ISO-8601 UTC), sorted by key, columns as declared.

    `life` holds users, merges, addresses, products, prices, movements, orders, order_lines,
    refunds, payments, affiliates, commission_plans and fx_rates, not cut at the clock.
    """
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name, table in life.items():
            connection.register(name, table)
        for view in (MERGED, SHOWN_ORDERS):
            connection.execute(view.replace("$now", f"timestamptz '{now}'"))
        found: dict[str, pa.Table] = {}
        for table in SHOP_TABLES:
            if table.name not in QUERIES:
                continue
            columns = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in table.columns)
            query = QUERIES[table.name].replace("$now", f"timestamptz '{now}'")
            keys = ", ".join(table.key)
            ordered = f"select {columns} from ({query}) order by {keys}"
            found[table.name] = connection.sql(ordered).to_arrow_table()
        return found
