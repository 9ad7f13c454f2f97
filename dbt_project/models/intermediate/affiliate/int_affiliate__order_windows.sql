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

-- a window ends with the order, or with the cart of its lines where that rule holds
ends as (
    select
        order_id,
        plan_category,
        cast(null as {{ varchar(256) }}) as affiliate_id,
        ordered_at as window_ends_at,
        ordered_at,
        order_date
    from lines
    union
    select
        lines.order_id,
        lines.plan_category,
        cart_lines.affiliate_id,
        cart_lines.added_at as window_ends_at,
        lines.ordered_at,
        lines.order_date
    from lines
    inner join cart_lines on lines.order_line_id = cart_lines.order_line_id
),

final as (
    select
        ends.order_id,
        ends.plan_category,
        order_partners.affiliate_id,
        order_partners.coupon_code,
        rules.click_choice,
        ends.window_ends_at,
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
    from ends
    inner join
        order_partners
        on
            ends.order_id = order_partners.order_id
            and coalesce(ends.affiliate_id, order_partners.affiliate_id)
            = order_partners.affiliate_id
    left join affiliates on order_partners.affiliate_id = affiliates.affiliate_id
    inner join
        rules
        on
            coalesce(affiliates.affiliate_id, '(none)') = rules.affiliate_id
            and ends.order_date >= rules.valid_from
            and ends.order_date < rules.valid_before
    left join
        terms
        on
            order_partners.affiliate_id = terms.affiliate_id
            and ends.plan_category = terms.plan_category
            and ends.ordered_at >= terms.valid_from
            and ends.ordered_at < terms.valid_before
)

select * from final
