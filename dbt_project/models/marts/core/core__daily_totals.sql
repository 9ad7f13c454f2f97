with order_lines as (select * from {{ ref('int_core__order_lines') }}),

orders as (select * from {{ ref('int_core__orders') }}),

refunds as (select * from {{ ref('int_core__refunds') }}),

movements as (
    select
        order_date as report_date,
        country,
        1 as order_count,
        0 as line_count,
        0 as refund_line_count,
        cast(0 as decimal(18, 4)) as line_amount,
        cast(0 as decimal(18, 4)) as refunded_amount
    from orders
    union all
    select
        order_date as report_date,
        country,
        0 as order_count,
        1 as line_count,
        0 as refund_line_count,
        line_amount,
        cast(0 as decimal(18, 4)) as refunded_amount
    from order_lines
    union all
    select
        refund_date as report_date,
        country,
        0 as order_count,
        0 as line_count,
        1 as refund_line_count,
        cast(0 as decimal(18, 4)) as line_amount,
        amount as refunded_amount
    from refunds
),

final as (
    select
        report_date,
        country,
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(line_count) as bigint) as line_count,
        cast(sum(line_amount) as decimal(18, 4)) as gross_revenue,
        cast(sum(refund_line_count) as bigint) as refund_line_count,
        cast(sum(refunded_amount) as decimal(18, 4)) as refunded_amount,
        cast(sum(line_amount) - sum(refunded_amount) as decimal(18, 4)) as net_revenue
    from movements
    group by report_date, country
)

select * from final
