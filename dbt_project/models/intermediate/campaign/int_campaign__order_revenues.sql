with orders as (
    select * from {{ ref('int_core__orders') }}
    where is_counted
),

order_refunds as (select * from {{ ref('int_core__order_refunds') }}),

final as (
    select
        orders.order_id,
        orders.cell,
        orders.gross_revenue,
        cast(
            orders.gross_revenue - coalesce(order_refunds.refunded_amount, 0) as decimal(18, 4)
        ) as net_revenue
    from orders
    left join order_refunds on orders.order_id = order_refunds.order_id
)

select * from final
