with attributed as (
    select
        order_id,
        model,
        sum(credit) as credit,
        sum(attributed_revenue) as attributed_revenue,
        sum(attributed_net_revenue) as attributed_net_revenue
    from {{ ref('campaign__attribution') }}
    group by order_id, model
),

orders as (
    select * from {{ ref('core__orders') }}
    where is_counted
)

select
    coalesce(orders.order_id, attributed.order_id) as order_id,
    attributed.model,
    orders.gross_revenue,
    attributed.attributed_revenue,
    orders.net_revenue,
    attributed.attributed_net_revenue
from orders
full outer join attributed on orders.order_id = attributed.order_id
where
    orders.order_id is null
    or attributed.order_id is null
    or attributed.credit <> 1
    or orders.gross_revenue <> attributed.attributed_revenue
    or orders.net_revenue <> attributed.attributed_net_revenue
