-- each buyer is in one cohort, with all that was bought and all that went back
with customers as (
    select
        cohort_month,
        count(*) as customers,
        sum(order_count) as orders,
        sum(gross_revenue) as gross_revenue,
        sum(net_revenue) as net_revenue
    from {{ ref('core__customers') }}
    where order_count > 0
    group by cohort_month
),

cohorts as (
    select
        cohort_month,
        sum(case when months_since = 0 then customers else 0 end) as customers,
        sum(orders) as orders,
        sum(gross_revenue) as gross_revenue,
        sum(net_revenue) as net_revenue
    from {{ ref('campaign__cohorts_monthly') }}
    group by cohort_month
)

select
    coalesce(customers.cohort_month, cohorts.cohort_month) as cohort_month,
    customers.customers,
    cohorts.customers as cohort_customers,
    customers.net_revenue,
    cohorts.net_revenue as cohort_net_revenue
from customers
full outer join cohorts on customers.cohort_month = cohorts.cohort_month
where
    customers.cohort_month is null
    or cohorts.cohort_month is null
    or customers.customers <> cohorts.customers
    or customers.orders <> cohorts.orders
    or customers.gross_revenue <> cohorts.gross_revenue
    or customers.net_revenue <> cohorts.net_revenue
