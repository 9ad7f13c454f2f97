with orders as (select * from {{ ref('int_core__orders') }}),

order_refunds as (select * from {{ ref('int_core__order_refunds') }}),

balances as (select * from {{ ref('int_core__order_balances') }}),

final as (
    select
        orders.order_id,
        orders.cell,
        orders.customer_id,
        orders.ordered_at,
        orders.order_date,
        orders.country,
        orders.status,
        orders.order_kind,
        orders.is_counted,
        orders.is_first_order,
        orders.product_amount,
        orders.shipping_amount,
        orders.fee_amount,
        orders.discount_amount,
        orders.adjustment_amount,
        orders.gross_revenue,
        coalesce(order_refunds.refunded_amount, 0) as refunded_amount,
        cast(
            orders.gross_revenue - coalesce(order_refunds.refunded_amount, 0) as decimal(18, 4)
        ) as net_revenue,
        balances.paid_amount,
        cast(balances.payment_status as {{ varchar(64) }}) as payment_status
    from orders
    inner join balances on orders.order_id = balances.order_id
    left join order_refunds on orders.order_id = order_refunds.order_id
)

select * from final
