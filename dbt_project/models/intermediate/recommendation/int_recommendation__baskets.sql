with order_lines as (select * from {{ ref('int_core__order_lines') }}),

orders as (select * from {{ ref('int_core__orders') }}),

-- what was bought and paid for; a product counts once in a basket
bought as (
    select distinct
        order_lines.order_id,
        order_lines.product_id
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    where
        orders.is_counted
        and order_lines.line_kind = 'product'
        and order_lines.quantity > 0
        and order_lines.unit_price > 0
),

final as (
    select
        order_id,
        product_id,
        count(*) over (partition by order_id) <= {{ var('basket_cap') }} as is_within_cap
    from bought
)

select * from final
