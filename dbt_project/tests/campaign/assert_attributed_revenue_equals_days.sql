-- by each of the models, day by day: no order is on two days or on none
with orders as (
    select * from {{ ref('core__orders') }}
    where is_counted
),

days as (
    select
        order_date,
        sum(gross_revenue) as gross_revenue,
        sum(net_revenue) as net_revenue
    from orders
    group by order_date
),

attributed as (
    select
        orders.order_date,
        attribution.model,
        sum(attribution.attributed_revenue) as attributed_revenue,
        sum(attribution.attributed_net_revenue) as attributed_net_revenue
    from {{ ref('campaign__attribution') }} as attribution
    inner join orders on attribution.order_id = orders.order_id
    group by orders.order_date, attribution.model
)

select
    days.order_date,
    count(attributed.model) as model_count
from days
left join attributed
    on
        days.order_date = attributed.order_date
        and days.gross_revenue = attributed.attributed_revenue
        and days.net_revenue = attributed.attributed_net_revenue
group by days.order_date
having count(attributed.model) <> 8
