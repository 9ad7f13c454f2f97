with daily as (
    select
        coalesce(sum(line_count), 0) as line_count,
        coalesce(sum(refund_line_count), 0) as refund_line_count,
        coalesce(sum(net_revenue), 0) as net_revenue
    from {{ ref('core__daily_totals') }}
),

lines as (
    select
        count(*) as line_count,
        coalesce(sum(line_amount), 0) as amount
    from {{ ref('int_core__order_lines') }}
),

refunds as (
    select
        count(*) as refund_line_count,
        coalesce(sum(amount), 0) as amount
    from {{ ref('int_core__refunds') }}
)

select
    daily.line_count,
    daily.refund_line_count,
    daily.net_revenue,
    lines.amount as line_amount,
    refunds.amount as refund_amount
from daily
cross join lines
cross join refunds
where
    daily.line_count <> lines.line_count
    or daily.refund_line_count <> refunds.refund_line_count
    or daily.net_revenue <> lines.amount - refunds.amount
