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
with order_windows as (
    select * from {{ ref('int_affiliate__order_windows') }}
    where {{ is_changed('int_affiliate__earning_prints', 'order_id', 'order_id') }}
),

candidates as (
    select * from {{ ref('int_affiliate__candidates') }}
    where {{ is_changed('int_affiliate__earning_prints', 'order_id', 'order_id') }}
),

cart_lines as (select * from {{ ref('int_affiliate__cart_lines') }}),

kept_lines as (select * from {{ ref('int_affiliate__kept_lines') }}),

lines as (
    select * from {{ ref('int_affiliate__lines') }}
    where {{ is_changed('int_affiliate__earning_prints', 'order_id', 'order_id') }}
),

searched as (
    select
        order_windows.order_id,
        order_windows.plan_category,
        order_windows.affiliate_id,
        order_windows.coupon_code,
        order_windows.click_choice,
        order_windows.window_rule,
        order_windows.window_hours,
        order_windows.window_ends_at,
        candidates.click_id,
        candidates.clicked_at,
        candidates.too_soon_until
    from order_windows
    left join
        candidates
        on
            order_windows.order_id = candidates.order_id
            and order_windows.affiliate_id = candidates.affiliate_id
            and order_windows.window_ends_at = candidates.window_ends_at
            and order_windows.window_hours = candidates.window_hours
    where candidates.click_id is not null or order_windows.coupon_code is not null
),

offered as (
    select
        lines.order_line_id,
        searched.*
    from searched
    inner join
        lines
        on
            searched.order_id = lines.order_id
            and searched.plan_category = lines.plan_category
    left join
        cart_lines
        on
            lines.order_line_id = cart_lines.order_line_id
            and searched.affiliate_id = cart_lines.affiliate_id
    where searched.window_ends_at = coalesce(cart_lines.added_at, lines.ordered_at)
),

-- the coupon's affiliate, else the last click (the first, where that is the rule); at one instant
-- the greatest id
found as (
    select
        order_line_id,
        order_id,
        affiliate_id,
        coupon_code,
        case when coupon_code is null then click_choice || '_click' else 'coupon' end
            as attribution_rule,
        window_rule,
        window_hours,
        window_ends_at,
        click_id,
        clicked_at,
        too_soon_until
    from offered
    qualify
        row_number() over (
            partition by order_line_id
            order by
                case when coupon_code is null then 1 else 0 end,
                case when click_choice = 'first' then clicked_at end,
                clicked_at desc,
                click_id desc
        ) = 1
),

-- a line stays with an affiliate whom the shop has deleted since it was posted for them
final as (
    select
        found.order_line_id,
        found.order_id,
        found.affiliate_id,
        found.coupon_code,
        found.attribution_rule,
        found.window_rule,
        found.window_hours,
        found.window_ends_at,
        found.click_id,
        found.clicked_at,
        found.too_soon_until
    from found
    left join kept_lines on found.order_line_id = kept_lines.order_line_id
    where kept_lines.order_line_id is null
    union all
    select
        lines.order_line_id,
        lines.order_id,
        kept_lines.affiliate_id,
        found.coupon_code,
        'posted' as attribution_rule,
        coalesce(found.window_rule, 'posted') as window_rule,
        coalesce(found.window_hours, 0) as window_hours,
        coalesce(found.window_ends_at, lines.ordered_at) as window_ends_at,
        found.click_id,
        found.clicked_at,
        found.too_soon_until
    from kept_lines
    inner join lines on kept_lines.order_line_id = lines.order_line_id
    left join
        found
        on
            kept_lines.order_line_id = found.order_line_id
            and kept_lines.affiliate_id = found.affiliate_id
)

select * from final
