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
{%- set so_far = "partition by click_key, affiliate_id order by happened_at, event_rank, event_id"
    ~ " rows between unbounded preceding and current row" -%}

with order_windows as (
    select * from {{ ref('int_affiliate__order_windows') }}
    where {{ is_changed('int_affiliate__earning_prints', 'order_id', 'order_id') }}
),

order_keys as (
    select * from {{ ref('int_affiliate__order_keys') }}
    where {{ is_changed('int_affiliate__earning_prints', 'order_id', 'order_id') }}
),

buyer_clicks as (select * from {{ ref('int_affiliate__buyer_clicks') }}),

voiding_touches as (select * from {{ ref('int_affiliate__voiding_touches') }}),

-- categories of an order mostly have one window
windows as (
    select distinct
        order_id,
        affiliate_id,
        click_choice,
        window_ends_at,
        window_hours
    from order_windows
),

searched as (
    select
        windows.order_id,
        windows.affiliate_id,
        windows.click_choice,
        windows.window_ends_at,
        windows.window_hours,
        windows.window_ends_at - windows.window_hours * interval '1 hour' as window_starts_at,
        order_keys.order_key as click_key
    from windows
    inner join order_keys on windows.order_id = order_keys.order_id
),

wanted as (
    select distinct
        click_key,
        affiliate_id
    from searched
),

clicks as (
    select
        buyer_clicks.click_key,
        buyer_clicks.affiliate_id,
        buyer_clicks.click_id,
        buyer_clicks.occurred_at,
        buyer_clicks.too_soon_until
    from buyer_clicks
    inner join
        wanted
        on
            buyer_clicks.click_key = wanted.click_key
            and buyer_clicks.affiliate_id = wanted.affiliate_id
),

-- Clicks and ends of windows in their order: the last click before an end is the one that stands
-- above it, however many there were. A click at the instant of the order is none before it.
events as (
    select
        click_key,
        affiliate_id,
        window_ends_at as happened_at,
        0 as event_rank,
        order_id as event_id,
        cast(null as {{ varchar(256) }}) as click_id,
        cast(null as timestamptz) as clicked_at,
        cast(null as timestamptz) as too_soon_until,
        window_starts_at,
        window_hours
    from searched
    where click_choice = 'last'
    union all
    select
        click_key,
        affiliate_id,
        occurred_at as happened_at,
        1 as event_rank,
        click_id as event_id,
        click_id,
        occurred_at as clicked_at,
        too_soon_until,
        cast(null as timestamptz) as window_starts_at,
        cast(null as integer) as window_hours
    from clicks
),

followed as (
    select
        event_rank,
        event_id as order_id,
        affiliate_id,
        happened_at as window_ends_at,
        window_starts_at,
        window_hours,
        last_value(click_id ignore nulls) over ({{ so_far }}) as click_id,
        last_value(clicked_at ignore nulls) over ({{ so_far }}) as clicked_at,
        last_value(too_soon_until ignore nulls) over ({{ so_far }}) as too_soon_until
    from events
),

found as (
    select
        order_id,
        affiliate_id,
        window_ends_at,
        window_hours,
        click_id,
        clicked_at,
        too_soon_until
    from followed
    where event_rank = 0 and clicked_at >= window_starts_at
    union all
    select
        searched.order_id,
        searched.affiliate_id,
        searched.window_ends_at,
        searched.window_hours,
        clicks.click_id,
        clicks.occurred_at as clicked_at,
        clicks.too_soon_until
    from searched
    inner join
        clicks
        on
            searched.click_key = clicks.click_key
            and searched.affiliate_id = clicks.affiliate_id
            and searched.window_starts_at <= clicks.occurred_at
            and searched.window_ends_at > clicks.occurred_at
    where searched.click_choice = 'first'
),

-- a click that a paid visit followed is none any more, where that rule holds
final as (
    select
        found.order_id,
        found.affiliate_id,
        found.window_ends_at,
        found.window_hours,
        found.click_id,
        found.clicked_at,
        found.too_soon_until
    from found
    left join
        voiding_touches
        on
            found.order_id = voiding_touches.order_id
            and found.affiliate_id = voiding_touches.affiliate_id
    where voiding_touches.voided_at is null or voiding_touches.voided_at <= found.clicked_at
)

select * from final
