with customers as (
    select
        coalesce(sum(gross_revenue), 0) as gross_revenue,
        coalesce(sum(net_revenue), 0) as net_revenue
    from {{ ref('core__customers') }}
),

orders as (
    select coalesce(sum(gross_revenue), 0) as amount
    from {{ ref('int_core__orders') }}
    where is_counted and customer_id is not null
),

refunds as (
    select coalesce(sum(amount), 0) as amount
    from {{ ref('core__refunds') }}
    where customer_id is not null
)

select
    customers.gross_revenue,
    customers.net_revenue,
    orders.amount as order_amount,
    refunds.amount as refund_amount
from customers
cross join orders
cross join refunds
where
    customers.gross_revenue <> orders.amount
    or customers.net_revenue <> orders.amount - refunds.amount
