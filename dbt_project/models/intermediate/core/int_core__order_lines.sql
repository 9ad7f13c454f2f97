with order_lines as (select * from {{ ref('stg_shop__order_lines') }}),

orders as (select * from {{ ref('stg_shop__orders') }}),

line_kinds as (select * from {{ ref('line_kinds') }}),

order_rates as (select * from {{ ref('int_finance__order_rates') }}),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

final as (
    select
        order_lines.order_line_id,
        order_lines.cell,
        order_lines.order_id,
        coalesce(customer_aliases.customer_id, orders.customer_id) as customer_id,
        order_lines.product_id,
        lower(order_lines.product_id) as product_code,
        order_lines.line_kind,
        -- bad debts, and lines without a price and a customer, sell nothing
        coalesce(line_kinds.is_sale_line, true)
        and not (order_lines.unit_price = 0 and orders.customer_id is null) as is_sale_line,
        order_lines.quantity,
        {{ reporting_amount('order_lines.unit_price', 'order_rates.rate') }} as unit_price,
        {{ reporting_amount('order_lines.line_amount', 'order_rates.rate') }} as line_amount,
        order_rates.currency,
        order_lines.unit_price as source_unit_price,
        order_lines.line_amount as source_amount,
        orders.ordered_at,
        {{ reporting_date('orders.ordered_at') }} as order_date,
        coalesce(orders.country, '(unknown)') as country
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    inner join order_rates on order_lines.order_id = order_rates.order_id
    left join line_kinds on lower(order_lines.product_id) = line_kinds.product_code
    left join customer_aliases on orders.customer_id = customer_aliases.merged_customer_id
    where order_rates.rate is not null
)

select * from final
