with commissions as (
    select * from {{ ref('int_affiliate__commissions') }}
    where reason is null
),

allocations as (select * from {{ ref('int_core__refund_allocations') }}),

refunds as (select * from {{ ref('int_core__refunds') }}),

movements as (
    select
        affiliate_id,
        {{ reporting_date('ordered_at') }} as moved_on,
        reporting_line_amount as amount
    from commissions
    union all
    select
        commissions.affiliate_id,
        refunds.refund_date as moved_on,
        -allocations.amount as amount
    from allocations
    inner join refunds on allocations.refund_id = refunds.refund_id
    inner join commissions on allocations.order_line_id = commissions.order_line_id
),

final as (
    select
        affiliate_id,
        cast(date_trunc('month', moved_on) as date) as period,
        cast(sum(amount) as decimal(18, 4)) as net_sales
    from movements
    group by affiliate_id, cast(date_trunc('month', moved_on) as date)
)

select * from final
