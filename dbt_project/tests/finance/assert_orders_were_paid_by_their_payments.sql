-- order by order, and what is left over is of orders that are not known
with payments as (
    select
        order_id,
        sum(paid_amount) as paid_amount
    from {{ ref('core__payments') }}
    group by order_id
)

select
    coalesce(orders.order_id, payments.order_id) as order_id,
    orders.paid_amount,
    payments.paid_amount as payment_amount
from {{ ref('core__orders') }} as orders
full outer join payments on orders.order_id = payments.order_id
where
    coalesce(payments.order_id, '') <> '(unknown)'
    and (orders.order_id is null or orders.paid_amount <> coalesce(payments.paid_amount, 0))
