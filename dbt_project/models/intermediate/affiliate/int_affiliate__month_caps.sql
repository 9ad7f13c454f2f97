with amounts as (select * from {{ ref('int_affiliate__amounts') }}),

-- every line of whoever has a cap in some month, since those before it use it up
capped as (
    select distinct affiliate_id
    from amounts
    where cap_per_month is not null
),

month_run as (
    select
        amounts.order_line_id,
        amounts.cap_per_month,
        amounts.order_amount,
        sum(amounts.order_amount) over (
            partition by amounts.affiliate_id, date_trunc('month', amounts.order_date)
            order by amounts.ordered_at, amounts.order_line_id
            rows between unbounded preceding and current row
        ) as month_total
    from amounts
    inner join capped on amounts.affiliate_id = capped.affiliate_id
),

final as (
    select
        order_line_id,
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
