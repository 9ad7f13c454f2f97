with products as (select * from {{ ref('stg_shop__products') }}),

order_lines as (select * from {{ ref('int_core__order_lines') }}),

orders as (select * from {{ ref('int_core__orders') }}),

refunds as (select * from {{ ref('int_core__refunds') }}),

inventory as (select * from {{ ref('stg_shop__inventory') }}),

product_rates as (select * from {{ ref('int_finance__product_rates') }}),

sold as (
    select
        order_lines.product_id,
        cast(sum(order_lines.quantity) as bigint) as units_sold,
        cast(sum(order_lines.line_amount) as decimal(18, 4)) as gross_revenue
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    where orders.is_counted
    group by order_lines.product_id
),

refunded as (
    select
        product_id,
        cast(sum(amount) as decimal(18, 4)) as refunded_amount
    from refunds
    group by product_id
),

stock as (
    select
        product_id,
        on_hand
    from inventory
    where valid_to is null
),

final as (
    select
        products.product_id,
        products.cell,
        products.name,
        products.category,
        {{ reporting_amount('products.list_price', 'product_rates.rate') }} as current_price,
        coalesce(sold.units_sold, 0) as units_sold,
        cast(
            coalesce(sold.gross_revenue, 0) - coalesce(refunded.refunded_amount, 0)
            as decimal(18, 4)
        ) as net_revenue,
        stock.on_hand
    from products
    left join product_rates on products.product_id = product_rates.product_id
    left join sold on products.product_id = sold.product_id
    left join refunded on products.product_id = refunded.product_id
    left join stock on products.product_id = stock.product_id
)

select * from final
