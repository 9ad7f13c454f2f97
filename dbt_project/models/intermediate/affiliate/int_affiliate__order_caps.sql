with amounts as (select * from {{ ref('int_affiliate__amounts') }}),

capped as (
    select distinct
        order_id,
        affiliate_id
    from {{ ref('int_affiliate__earnings') }}
    where cap_per_order is not null
),

-- what lies above the cap is cut from the last lines
order_run as (
    select
        amounts.order_line_id,
        amounts.order_id,
        amounts.cap_per_order,
        amounts.item_amount,
        sum(amounts.item_amount) over (
            partition by amounts.order_id, amounts.affiliate_id
            order by amounts.order_line_id
            rows between unbounded preceding and current row
        ) as order_total
    from amounts
    inner join
        capped
        on amounts.order_id = capped.order_id and amounts.affiliate_id = capped.affiliate_id
),

final as (
    select
        order_line_id,
        order_id,
        cast(greatest(cap_per_order - order_total + item_amount, 0) as decimal(18, 2))
            as cap_left,
        cast(
            least(order_total, cap_per_order) - least(order_total - item_amount, cap_per_order)
            as decimal(18, 2)
        ) as order_amount
    from order_run
    where cap_per_order is not null
)

select * from final
