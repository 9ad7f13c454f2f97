-- per affiliate: each click, each line that earns and what was taken back of it is in one day
with days as (select * from {{ ref('affiliate__performance_daily') }}),

clicks as (select * from {{ ref('affiliate__clicks') }}),

commissions as (
    select * from {{ ref('int_affiliate__commissions') }}
    where reason is null
),

due as (
    select * from {{ ref('int_affiliate__commission_due') }}
    where order_line_id <> '(none)'
),

figures as (
    select
        affiliate_id,
        clicks,
        valid_clicks,
        sales,
        commission,
        net_commission
    from days
    union all
    select
        affiliate_id,
        -1 as clicks,
        case when validity = 'valid' then -1 else 0 end as valid_clicks,
        cast(0 as decimal(18, 4)) as sales,
        cast(0 as decimal(18, 2)) as commission,
        cast(0 as decimal(18, 2)) as net_commission
    from clicks
    union all
    select
        affiliate_id,
        0 as clicks,
        0 as valid_clicks,
        -reporting_line_amount as sales,
        -commission_amount as commission,
        cast(0 as decimal(18, 2)) as net_commission
    from commissions
    union all
    select
        affiliate_id,
        0 as clicks,
        0 as valid_clicks,
        cast(0 as decimal(18, 4)) as sales,
        cast(0 as decimal(18, 2)) as commission,
        -amount as net_commission
    from due
)

select
    affiliate_id,
    sum(clicks) as clicks,
    sum(valid_clicks) as valid_clicks,
    sum(sales) as sales,
    sum(commission) as commission,
    sum(net_commission) as net_commission
from figures
group by affiliate_id
having
    sum(clicks) <> 0
    or sum(valid_clicks) <> 0
    or sum(sales) <> 0
    or sum(commission) <> 0
    or sum(net_commission) <> 0
