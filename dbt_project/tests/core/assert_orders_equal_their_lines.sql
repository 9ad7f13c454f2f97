with lines as (
    select
        order_id,
        sum(line_amount) as gross_revenue,
        sum(refunded_amount) as refunded_amount
    from {{ ref('core__order_lines') }}
    group by order_id
)

select
    coalesce(orders.order_id, lines.order_id) as order_id,
    orders.gross_revenue,
    lines.gross_revenue as line_gross_revenue,
    orders.refunded_amount,
    lines.refunded_amount as line_refunded_amount
from {{ ref('core__orders') }} as orders
full outer join lines on orders.order_id = lines.order_id
where
    orders.order_id is null
    or orders.gross_revenue <> coalesce(lines.gross_revenue, 0)
    or orders.refunded_amount <> coalesce(lines.refunded_amount, 0)
