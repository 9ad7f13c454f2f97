-- what was paid = what is due + the differences, and only orders that are paid have none
with payments as (
    select coalesce(sum(paid_amount), 0) as amount
    from {{ ref('core__payments') }}
),

orders as (
    select
        coalesce(sum(case when is_counted and gross_revenue > 0 then gross_revenue end), 0)
            as due_amount,
        count(case when payment_status <> 'paid' then 1 end) as unsettled_count
    from {{ ref('core__orders') }}
),

differences as (
    select
        coalesce(sum(difference_amount), 0) as amount,
        count(case when payment_id = '(none)' then 1 end) as order_count
    from {{ ref('core__payment_differences') }}
)

select
    payments.amount as paid_amount,
    orders.due_amount,
    orders.unsettled_count,
    differences.amount as difference_amount,
    differences.order_count as difference_count
from payments
cross join orders
cross join differences
where
    payments.amount <> orders.due_amount + differences.amount
    or orders.unsettled_count <> differences.order_count
