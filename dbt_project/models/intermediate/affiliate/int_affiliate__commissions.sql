with amounts as (select * from {{ ref('int_affiliate__amounts') }}),

month_caps as (select * from {{ ref('int_affiliate__month_caps') }}),

disputes as (select * from {{ ref('int_affiliate__disputes') }}),

decisions as (
    select * from {{ source('ledger', 'decisions') }}
    where kind = 'extend_hold' and effective_at <= {{ as_of() }}
),

held as (
    select
        order_line_id,
        affiliate_id,
        ordered_at,
        (delivery_days + coalesce(hold_days, 0)) * interval '1 day' as held_for
    from amounts
),

-- of an affiliate whose hold is extended, the lines that were still in it
decided as (
    select
        held.order_line_id,
        decisions.days
    from held
    inner join decisions on held.order_line_id = decisions.order_line_id
    union all
    select
        held.order_line_id,
        decisions.days
    from held
    inner join decisions on held.affiliate_id = decisions.affiliate_id
    where
        decisions.order_line_id = '(none)'
        and held.ordered_at <= decisions.effective_at
        and held.ordered_at + held.held_for > decisions.effective_at
),

extensions as (
    select
        order_line_id,
        cast(sum(days) as integer) as extension_days
    from decided
    group by order_line_id
),

final as (
    select
        amounts.order_line_id,
        amounts.order_id,
        amounts.cell,
        amounts.affiliate_id,
        amounts.click_id,
        amounts.clicked_at,
        amounts.coupon_code,
        amounts.attribution_rule,
        amounts.reason,
        amounts.self_referral_rule,
        amounts.plan_id,
        amounts.tier,
        amounts.tier_sales,
        amounts.tier_statement,
        amounts.rate,
        amounts.rate_rule,
        amounts.window_rule,
        amounts.window_hours,
        amounts.window_ends_at,
        amounts.delivery_days,
        coalesce(amounts.hold_days, 0) as hold_days,
        coalesce(extensions.extension_days, 0) as extension_days,
        amounts.order_currency,
        amounts.quantity,
        amounts.line_amount,
        amounts.discount_share,
        amounts.vat_rate,
        amounts.base_amount,
        amounts.reporting_line_amount,
        amounts.currency,
        amounts.fx_rate,
        amounts.fx_rule,
        amounts.uncapped_amount,
        case
            when month_caps.commission_amount < amounts.order_amount then 'cap_per_month'
            when amounts.order_amount < amounts.item_amount then 'cap_per_order'
            when amounts.item_amount < amounts.uncapped_amount then 'cap_per_item'
        end as cap_rule,
        least(amounts.cap_left, month_caps.cap_left) as cap_left,
        -- the less of the uncapped amount and what the caps leave
        coalesce(month_caps.commission_amount, amounts.order_amount) as commission_amount,
        amounts.ordered_at,
        amounts.ordered_at
        + (
            amounts.delivery_days + coalesce(amounts.hold_days, 0)
            + coalesce(extensions.extension_days, 0)
        ) * interval '1 day' as matures_at,
        case
            when amounts.chargeback_holds and disputes.held_since is not null
                then disputes.held_since
            when amounts.ordered_at < amounts.too_soon_until then amounts.ordered_at
        end as held_since,
        case
            when amounts.chargeback_holds and disputes.held_since is not null then 'chargeback'
            when amounts.ordered_at < amounts.too_soon_until then 'too_soon'
        end as held_rule
    from amounts
    left join month_caps on amounts.order_line_id = month_caps.order_line_id
    left join extensions on amounts.order_line_id = extensions.order_line_id
    left join disputes on amounts.order_id = disputes.order_id
)

select * from final
