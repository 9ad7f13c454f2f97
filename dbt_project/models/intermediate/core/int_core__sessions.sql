{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_core__visitor_prints')) }}",
        "{{ forget_changed(ref('int_core__visitor_prints'), row_hash(['visitor_key'])) }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_core__visitor_prints')) }}"],
) }}
with events as (
    select * from {{ ref('int_core__session_events') }}
    where {{ is_changed('int_core__visitor_prints', row_hash(['visitor_key'])) }}
),

counted as (
    select
        session_id,
        min(customer_id) as first_customer_id,
        max(customer_id) as last_customer_id,
        max(occurred_at) as ended_at,
        min(case when event_type = 'view' then occurred_at end) as viewed_at,
        min(case when event_type = 'cart' then occurred_at end) as carted_at,
        count(*) as event_count,
        count(case when event_type = 'view' then 1 end) as product_view_count,
        count(case when event_type = 'search' then 1 end) as search_count,
        count(case when event_type = 'cart' then 1 end) as cart_event_count,
        count(case when event_type = 'order' then 1 end) as order_count,
        count(case when event_type = 'affiliate_click' then 1 end) as affiliate_click_count,
        count(case when event_type = 'wishlist' then 1 end) as wishlist_count
    from events
    group by session_id
),

-- On a shared browser the events before a sign-in are nobody's; the visit as a whole is the one
-- customer's who signed in during it.
first_events as (
    select
        events.*,
        coalesce(
            events.customer_id,
            case
                when counted.first_customer_id = counted.last_customer_id
                    then counted.first_customer_id
            end
        ) as session_customer_id
    from events
    inner join counted on events.session_id = counted.session_id
    where events.is_session_start
),

-- few: most sessions end by themselves
cut as (
    select distinct cut_session_id
    from first_events
    where cut_session_id is not null
),

openings as (
    select
        first_events.session_id,
        first_events.channel,
        first_events.campaign_id
    from first_events
    inner join cut on first_events.session_id = cut.cut_session_id
),

came as (
    select
        first_events.*,
        first_events.cut_session_id is not null as is_cut,
        case
            when first_events.cut_session_id is null then first_events.channel
            else openings.channel
        end as session_channel,
        case
            when first_events.cut_session_id is null then first_events.campaign_id
            else openings.campaign_id
        end as session_campaign_id
    from first_events
    left join openings on first_events.cut_session_id = openings.session_id
),

-- Otherwise a session is what its first event is: that one brought the visitor. A part of one that
-- was cut came as the whole did.
final as (
    select
        came.session_id,
        came.cell,
        came.visitor_id,
        came.visitor_key,
        came.session_customer_id as customer_id,
        case
            when came.session_customer_id is not null
                then 'customer ' || came.session_customer_id
            else came.visitor_key
        end as path_key,
        came.source_rank,
        came.event_id,
        {{ channel_name('came.session_channel', 'came.session_campaign_id') }} as channel,
        {{ campaign_key('came.session_campaign_id') }} as campaign_id,
        came.landing_page,
        came.occurred_at as started_at,
        counted.ended_at,
        counted.viewed_at,
        counted.carted_at,
        {{ reporting_date('came.occurred_at') }} as session_date,
        counted.event_count,
        counted.product_view_count,
        counted.search_count,
        counted.cart_event_count,
        counted.order_count,
        counted.affiliate_click_count,
        counted.wishlist_count,
        came.is_cut
    from came
    inner join counted on came.session_id = counted.session_id
)

select * from final
