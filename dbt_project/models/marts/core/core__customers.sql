with customers as (select * from {{ ref('stg_shop__customers') }}),

orders as (select * from {{ ref('int_core__orders') }}),

refunds as (select * from {{ ref('int_core__refunds') }}),

documents as (
    select
        customer_id,
        country,
        ordered_at as document_at,
        1 as document_rank,
        order_id as document_id
    from orders
    union all
    select
        customer_id,
        country,
        refunded_at as document_at,
        2 as document_rank,
        refund_id as document_id
    from refunds
),

latest_documents as (
    select
        customer_id,
        country
    from documents
    where customer_id is not null
    qualify
        row_number() over (
            partition by customer_id
            order by document_at desc, document_rank desc, document_id desc
        ) = 1
),

bought as (
    select
        customer_id,
        min(ordered_at) as first_order_at,
        max(ordered_at) as last_order_at,
        count(*) as order_count,
        cast(sum(gross_revenue) as decimal(18, 4)) as gross_revenue
    from orders
    where is_counted and customer_id is not null
    group by customer_id
),

refunded as (
    select
        customer_id,
        cast(sum(amount) as decimal(18, 4)) as refunded_amount
    from refunds
    where customer_id is not null
    group by customer_id
),

measured as (
    select
        customers.customer_id,
        customers.cell,
        coalesce(
            nullif(latest_documents.country, '(unknown)'), customers.country, '(unknown)'
        ) as country,
        bought.first_order_at,
        bought.last_order_at,
        coalesce(bought.order_count, 0) as order_count,
        coalesce(bought.gross_revenue, 0) as gross_revenue,
        cast(
            coalesce(bought.gross_revenue, 0) - coalesce(refunded.refunded_amount, 0)
            as decimal(18, 4)
        ) as net_revenue
    from customers
    left join latest_documents on customers.customer_id = latest_documents.customer_id
    left join bought on customers.customer_id = bought.customer_id
    left join refunded on customers.customer_id = refunded.customer_id
    -- what a merged account did is the surviving one's
    where customers.merged_into is null
),

-- who never bought has no place among the fifths of those who did
ranked as (
    select
        customer_id,
        ntile(5) over (order by last_order_at, customer_id) as recency_quintile,
        ntile(5) over (order by order_count, customer_id) as frequency_quintile,
        ntile(5) over (order by net_revenue, customer_id) as monetary_quintile
    from measured
    where order_count > 0
),

final as (
    select
        measured.customer_id,
        measured.cell,
        measured.country,
        measured.first_order_at,
        measured.last_order_at,
        measured.order_count,
        measured.gross_revenue,
        measured.net_revenue,
        cast(date_trunc('month', {{ reporting_date('measured.first_order_at') }}) as date)
            as cohort_month,
        cast(ranked.recency_quintile as integer) as recency_quintile,
        cast(ranked.frequency_quintile as integer) as frequency_quintile,
        cast(ranked.monetary_quintile as integer) as monetary_quintile
    from measured
    left join ranked on measured.customer_id = ranked.customer_id
)

select * from final
