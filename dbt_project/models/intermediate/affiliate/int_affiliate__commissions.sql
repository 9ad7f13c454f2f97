{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_affiliate__commission_prints'), 'order_id') }}",
        "{{ forget_changed(ref('int_affiliate__commission_prints'), 'order_id', 'order_id') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_affiliate__commission_prints'), 'order_id') }}"],
) }}
with amounts as (
    select * from {{ ref('int_affiliate__amounts') }}
    where {{ is_changed('int_affiliate__commission_prints', 'order_id', 'order_id') }}
),

order_caps as (select * from {{ ref('int_affiliate__order_caps') }}),

month_caps as (select * from {{ ref('int_affiliate__month_caps') }}),

extensions as (select * from {{ ref('int_affiliate__extensions') }}),

disputes as (select * from {{ ref('int_affiliate__disputes') }}),

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
            when
                month_caps.commission_amount
                < coalesce(order_caps.order_amount, amounts.item_amount)
                then 'cap_per_month'
            when order_caps.order_amount < amounts.item_amount then 'cap_per_order'
            when amounts.item_amount < amounts.uncapped_amount then 'cap_per_item'
        end as cap_rule,
        least(amounts.cap_left, order_caps.cap_left, month_caps.cap_left) as cap_left,
        -- the less of the uncapped amount and what the caps leave
        coalesce(
            month_caps.commission_amount, order_caps.order_amount, amounts.item_amount
        ) as commission_amount,
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
    left join order_caps on amounts.order_line_id = order_caps.order_line_id
    left join month_caps on amounts.order_line_id = month_caps.order_line_id
    left join extensions on amounts.order_line_id = extensions.order_line_id
    left join disputes on amounts.order_id = disputes.order_id
)

select * from final
