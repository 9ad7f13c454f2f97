with amounts as (select * from {{ ref('int_affiliate__amounts') }}),

order_caps as (select * from {{ ref('int_affiliate__order_caps') }}),

-- every line of whoever has a cap in some month, since those before it use it up
capped as (
    select distinct affiliate_id
    from {{ ref('int_affiliate__earnings') }}
    where cap_per_month is not null
),

ordered as (
    select
        amounts.order_line_id,
        amounts.order_id,
        amounts.affiliate_id,
        amounts.ordered_at,
        amounts.order_date,
        amounts.cap_per_month,
        coalesce(order_caps.order_amount, amounts.item_amount) as order_amount
    from amounts
    inner join capped on amounts.affiliate_id = capped.affiliate_id
    left join order_caps on amounts.order_line_id = order_caps.order_line_id
),

month_run as (
    select
        *,
        sum(order_amount) over (
            partition by affiliate_id, date_trunc('month', order_date)
            order by ordered_at, order_line_id
            rows between unbounded preceding and current row
        ) as month_total
    from ordered
),

final as (
    select
        order_line_id,
        order_id,
        cast(greatest(cap_per_month - month_total + order_amount, 0) as decimal(18, 2))
            as cap_left,
        cast(
            least(month_total, cap_per_month) - least(month_total - order_amount, cap_per_month)
            as decimal(18, 2)
        ) as commission_amount
    from month_run
    where cap_per_month is not null
)

select * from final
