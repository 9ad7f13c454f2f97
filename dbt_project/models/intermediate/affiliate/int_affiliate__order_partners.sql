{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_affiliate__order_prints'), 'order_id') }}",
        "{{ forget_changed(ref('int_affiliate__order_prints'), 'order_id', 'order_id') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_affiliate__order_prints'), 'order_id') }}"],
) }}
with buyer_clicks as (select * from {{ ref('int_affiliate__buyer_clicks') }}),

order_keys as (
    select * from {{ ref('int_affiliate__order_keys') }}
    where {{ is_changed('int_affiliate__order_prints', 'order_id', 'order_id') }}
),

coupon_orders as (
    select * from {{ ref('int_affiliate__coupon_orders') }}
    where {{ is_changed('int_affiliate__order_prints', 'order_id', 'order_id') }}
),

programme as (select * from {{ ref('int_affiliate__programme') }}),

numbers as (select * from {{ ref('int_core__numbers') }}),

-- the calendar months, of 28 days or more, that the longest window can reach into
months_back as (
    select numbers.day_number as month_count
    from numbers
    inner join programme on (numbers.day_number - 1) * 28 * 24 <= programme.longest_hours
),

-- By months, so that one who clicks a thousand times and buys a hundred times is not met 100,000
-- times: which click it was is looked for later, in their order.
wanted as (
    select distinct order_key
    from order_keys
),

clicked_months as (
    select distinct
        buyer_clicks.click_key,
        buyer_clicks.affiliate_id,
        cast({{ month_number('buyer_clicks.occurred_at') }} as integer) as click_month
    from buyer_clicks
    inner join wanted on buyer_clicks.click_key = wanted.order_key
),

reachable as (
    select
        order_keys.order_id,
        order_keys.order_key,
        cast({{ month_number('order_keys.ordered_at') }} - months_back.month_count as integer)
            as click_month
    from order_keys
    cross join months_back
),

clicked as (
    select distinct
        reachable.order_id,
        clicked_months.affiliate_id
    from reachable
    inner join
        clicked_months
        on
            reachable.order_key = clicked_months.click_key
            and reachable.click_month = clicked_months.click_month
),

united as (
    select
        order_id,
        affiliate_id
    from clicked
    union
    select
        order_id,
        affiliate_id
    from coupon_orders
),

final as (
    select
        united.order_id,
        united.affiliate_id,
        coupon_orders.coupon_code
    from united
    left join
        coupon_orders
        on
            united.order_id = coupon_orders.order_id
            and united.affiliate_id = coupon_orders.affiliate_id
)

select * from final
