-- who paid the price in the currency of the order owes nothing in the reporting currency either
with paid as (
    select
        payments.order_id,
        sum(
            case
                when payments.status <> 'settled' then 0
                when payments.kind = 'chargeback' then -payments.source_amount
                else payments.source_amount
            end
        ) as source_amount,
        sum(payments.paid_amount) as paid_amount,
        max(case when payments.currency <> orders.currency then 1 else 0 end) as foreign_flag
    from {{ ref('core__payments') }} as payments
    inner join {{ ref('int_core__orders') }} as orders on payments.order_id = orders.order_id
    group by payments.order_id
)

select
    orders.order_id,
    orders.source_amount,
    orders.gross_revenue,
    paid.paid_amount
from {{ ref('int_core__orders') }} as orders
inner join paid on orders.order_id = paid.order_id
where
    paid.foreign_flag = 0
    and orders.source_amount = paid.source_amount
    and orders.source_amount > 0
    and orders.gross_revenue <> paid.paid_amount
