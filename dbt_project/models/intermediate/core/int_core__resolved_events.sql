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
{%- set lookback = "interval '" ~ var('identity_lookback_days') ~ " days'" -%}
{%- set from_here = "rows between current row and unbounded following" -%}
{%- set in_order = "partition by visitor_key order by occurred_at, source_rank, event_id" -%}

with events as (
    select * from {{ ref('int_core__visitor_events') }}
    where
        visitor_key is not null
        and {{ is_changed('int_core__visitor_prints', row_hash(['visitor_key'])) }}
),

-- a sign-in is an event that carries both ids
signed_in as (
    select
        *,
        case when visitor_id is not null then customer_id end as sign_in_customer_id,
        case when visitor_id is not null and customer_id is not null then occurred_at end
            as sign_in_at
    from events
),

known as (
    select
        *,
        first_value(sign_in_customer_id ignore nulls) over ({{ in_order }} {{ from_here }})
            as next_customer_id,
        first_value(sign_in_at ignore nulls) over ({{ in_order }} {{ from_here }}) as next_at
    from signed_in
),

-- the stretches of a visitor's sign-ins during which only one customer signed in: mostly one
changed as (
    select
        *,
        case
            when
                sign_in_customer_id = lag(sign_in_customer_id) over ({{ in_order }})
                then 0
            else 1
        end as is_other
    from signed_in
    where sign_in_customer_id is not null
),

numbered as (
    select
        *,
        sum(is_other) over ({{ in_order }} rows between unbounded preceding and current row)
            as stretch_number
    from changed
),

stretches as (
    select
        visitor_key,
        sign_in_customer_id as customer_id,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at
    from numbered
    group by visitor_key, stretch_number, sign_in_customer_id
),

-- Before and after: one of a household who looks around before either signed in is not the one who
-- does so first. Within a span of days only, so that a sign-in next year changes nothing of today.
contested as (
    select distinct
        known.source_rank,
        known.event_id
    from known
    inner join
        stretches
        on
            known.visitor_key = stretches.visitor_key
            and known.next_customer_id <> stretches.customer_id
            and known.occurred_at <= stretches.ended_at + {{ lookback }}
            and known.occurred_at >= stretches.started_at - {{ lookback }}
    where known.customer_id is null
),

final as (
    select
        known.source_rank,
        known.event_id,
        known.event_type,
        known.is_session_event,
        known.cell,
        known.occurred_at,
        known.visitor_id,
        known.visitor_key,
        case
            when known.customer_id is not null then known.customer_id
            when
                contested.event_id is null
                and known.next_at <= known.occurred_at + {{ lookback }}
                then known.next_customer_id
        end as customer_id,
        known.channel,
        known.campaign_id,
        known.landing_page
    from known
    left join
        contested
        on known.source_rank = contested.source_rank and known.event_id = contested.event_id
)

select * from final
