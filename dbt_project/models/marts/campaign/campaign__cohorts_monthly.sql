with orders as (
    select * from {{ ref('int_core__orders') }}
    where is_counted and customer_id is not null
),

refunds as (
    select * from {{ ref('int_core__refunds') }}
    where customer_id is not null
),

first_touches as (
    select * from {{ ref('int_campaign__path_touches') }}
    where order_id is not null and position = 1
),

numbers as (select * from {{ ref('int_core__numbers') }}),

-- a customer's cohort is the month of the first order, and what first led to that order
members as (
    select
        orders.customer_id,
        cast(date_trunc('month', orders.order_date) as date) as cohort_month,
        coalesce(first_touches.campaign_id, '(none)') as campaign_id
    from orders
    left join first_touches on orders.order_id = first_touches.order_id
    where orders.is_first_order
),

movements as (
    select
        members.cohort_month,
        members.campaign_id,
        {{ month_number('orders.order_date') }}
        - {{ month_number('members.cohort_month') }} as months_since,
        members.customer_id,
        1 as order_count,
        orders.gross_revenue,
        cast(0 as decimal(18, 4)) as refunded_amount
    from orders
    inner join members on orders.customer_id = members.customer_id
    union all
    -- what went back before the first order that is known is part of the beginning
    select
        members.cohort_month,
        members.campaign_id,
        greatest(
            {{ month_number('refunds.refund_date') }}
            - {{ month_number('members.cohort_month') }},
            0
        ) as months_since,
        cast(null as {{ varchar(256) }}) as customer_id,
        0 as order_count,
        cast(0 as decimal(18, 4)) as gross_revenue,
        refunds.amount as refunded_amount
    from refunds
    inner join members on refunds.customer_id = members.customer_id
),

by_month as (
    select
        cohort_month,
        campaign_id,
        months_since,
        count(distinct customer_id) as active_customers,
        cast(sum(order_count) as bigint) as orders,
        cast(sum(gross_revenue) as decimal(18, 4)) as gross_revenue,
        cast(sum(refunded_amount) as decimal(18, 4)) as refunded_amount
    from movements
    group by cohort_month, campaign_id, months_since
),

cohorts as (
    select
        cohort_month,
        campaign_id,
        count(*) as customers
    from members
    group by cohort_month, campaign_id
),

-- every month since, also one without an order, so that a cohort's value can be followed
every_month as (
    select
        cohorts.cohort_month,
        cohorts.campaign_id,
        cohorts.customers,
        numbers.day_number as months_since
    from cohorts
    inner join
        numbers
        on
            numbers.day_number
            <= {{ month_number(as_of_date()) }} - {{ month_number('cohorts.cohort_month') }}
),

summed as (
    select
        every_month.cohort_month,
        cast(every_month.months_since as integer) as months_since,
        every_month.campaign_id,
        every_month.customers,
        coalesce(by_month.active_customers, 0) as active_customers,
        coalesce(by_month.orders, 0) as orders,
        coalesce(by_month.gross_revenue, 0) as gross_revenue,
        coalesce(by_month.refunded_amount, 0) as refunded_amount,
        cast(
            coalesce(by_month.gross_revenue, 0) - coalesce(by_month.refunded_amount, 0)
            as decimal(18, 4)
        ) as net_revenue
    from every_month
    left join
        by_month
        on
            every_month.cohort_month = by_month.cohort_month
            and every_month.campaign_id = by_month.campaign_id
            and every_month.months_since = by_month.months_since
),

followed as (
    select
        *,
        cast(
            sum(net_revenue) over (
                partition by cohort_month, campaign_id
                order by months_since
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as cumulative_net_revenue
    from summed
),

final as (
    select
        *,
        {{ unit_cost('cumulative_net_revenue', 'customers') }} as lifetime_value
    from followed
)

select * from final
