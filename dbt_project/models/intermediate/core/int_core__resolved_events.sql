{%- set lookback = "interval '" ~ var('identity_lookback_days') ~ " days'" -%}
{%- set from_here = "rows between current row and unbounded following" -%}
{%- set in_order = "partition by visitor_key order by occurred_at, source_rank, event_id" -%}

with events as (
    select * from {{ ref('int_core__visitor_events') }}
    where visitor_key is not null
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

-- Where two customers signed in, now or ever, nobody can say who else an anonymous event was: no
-- span of days keeps one of a household from being taken for the other.
known as (
    select
        *,
        first_value(sign_in_customer_id ignore nulls) over ({{ in_order }} {{ from_here }})
            as next_customer_id,
        first_value(sign_in_at ignore nulls) over ({{ in_order }} {{ from_here }}) as next_at,
        min(sign_in_customer_id) over (partition by visitor_key)
        <> max(sign_in_customer_id) over (partition by visitor_key) as is_shared
    from signed_in
),

final as (
    select
        source_rank,
        event_id,
        event_type,
        is_session_event,
        cell,
        occurred_at,
        visitor_id,
        visitor_key,
        case
            when customer_id is not null then customer_id
            when not is_shared and next_at <= occurred_at + {{ lookback }} then next_customer_id
        end as customer_id,
        channel,
        campaign_id,
        landing_page
    from known
)

select * from final
