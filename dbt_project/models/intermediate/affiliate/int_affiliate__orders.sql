with order_lines as (
    select * from {{ ref('int_core__order_lines') }}
    where line_kind in ('product', 'discount')
),

orders as (select * from {{ ref('int_core__orders') }}),

products as (select * from {{ ref('stg_shop__products') }}),

order_events as (
    select
        event_id,
        customer_id
    from {{ ref('int_core__resolved_events') }}
    where event_type = 'order'
),

named_categories as (
    select distinct category
    from {{ ref('stg_affiliate__commission_plans') }}
    where category is not null
),

described as (
    select
        products.product_id,
        {{ row_hash([
            'products.category', 'named_categories.category', 'products.is_commissionable',
        ]) }} as product_hash
    from products
    left join named_categories on products.category = named_categories.category
),

line_prints as (
    select
        order_lines.order_id,
        {{ rows_print(row_hash([
            'order_lines.order_line_id', 'order_lines.cell', 'order_lines.line_kind',
            'order_lines.product_id', 'order_lines.product_code', 'order_lines.quantity',
            'order_lines.currency', 'order_lines.source_amount', 'order_lines.line_amount',
            'described.product_hash',
        ])) }} as digest
    from order_lines
    left join described on order_lines.product_id = described.product_id
    group by order_lines.order_id
    having max(case when order_lines.line_kind = 'product' then 1 else 0 end) = 1
),

known as (
    select
        orders.order_id,
        coalesce(orders.customer_id, order_events.customer_id) as customer_id,
        nullif(orders.visitor_id, '') as visitor_id,
        orders.status,
        orders.is_counted,
        orders.is_first_order,
        orders.ordered_at,
        orders.order_date,
        line_prints.digest
    from line_prints
    inner join orders on line_prints.order_id = orders.order_id
    left join order_events on line_prints.order_id = order_events.event_id
),

final as (
    select
        order_id,
        customer_id,
        visitor_id,
        status,
        is_counted,
        is_first_order,
        ordered_at,
        order_date,
        cast(
            {{ row_hash([
                'customer_id', 'visitor_id', 'status', 'is_counted', 'is_first_order', 'ordered_at',
                'order_date', 'digest',
            ]) }} as decimal(38, 0)
        ) as digest
    from known
)

select * from final
