{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_affiliate__earning_prints'), 'order_id') }}",
        "{{ forget_changed(ref('int_affiliate__earning_prints'), 'order_id', 'order_id') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_affiliate__earning_prints'), 'order_id') }}"],
) }}
with lines as (
    select * from {{ ref('int_affiliate__lines') }}
    where {{ is_changed('int_affiliate__earning_prints', 'order_id', 'order_id') }}
),

order_partners as (
    select * from {{ ref('int_affiliate__order_partners') }}
    where {{ is_changed('int_affiliate__earning_prints', 'order_id', 'order_id') }}
),

affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

rules as (select * from {{ ref('int_affiliate__rules') }}),

terms as (select * from {{ ref('int_affiliate__terms') }}),

cart_lines as (select * from {{ ref('int_affiliate__cart_lines') }}),

-- the window ends with the order, or with the cart where that rule holds
final as (
    select
        lines.order_line_id,
        lines.order_id,
        order_partners.affiliate_id,
        order_partners.coupon_code,
        rules.click_choice,
        coalesce(cart_lines.added_at, lines.ordered_at) as window_ends_at,
        coalesce(
            rules.cart_window_hours,
            rules.click_window_hours,
            terms.window_days * 24,
            rules.no_plan_window_days * 24
        ) as window_hours,
        case
            when rules.cart_window_hours is not null then 'cart'
            when rules.click_window_hours is not null then 'click_window'
            when terms.plan_id is not null then 'plan'
            else 'no_plan'
        end as window_rule
    from lines
    inner join order_partners on lines.order_id = order_partners.order_id
    left join affiliates on order_partners.affiliate_id = affiliates.affiliate_id
    inner join
        rules
        on
            coalesce(affiliates.affiliate_id, '(none)') = rules.affiliate_id
            and lines.order_date >= rules.valid_from
            and lines.order_date < rules.valid_before
    left join
        terms
        on
            order_partners.affiliate_id = terms.affiliate_id
            and lines.plan_category = terms.plan_category
            and lines.ordered_at >= terms.valid_from
            and lines.ordered_at < terms.valid_before
    left join
        cart_lines
        on
            lines.order_line_id = cart_lines.order_line_id
            and order_partners.affiliate_id = cart_lines.affiliate_id
)

select * from final
