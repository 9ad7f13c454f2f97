{%- set lookback = "interval '" ~ var('identity_lookback_days') ~ " days'" -%}
{%- set in_order = "partition by visitor_key order by occurred_at, source_rank, event_id" -%}

with events as (
    select * from {{ ref('int_core__visitor_events') }}
    where visitor_key is not null
),

-- a sign-in is an event that carries both ids
signed_in as (
    select
        *,
        case when visitor_id is not null then customer_id end as sign_in_customer_id
    from events
),

sign_ins as (
    select
        visitor_key,
        source_rank,
        event_id,
        occurred_at,
        sign_in_customer_id,
        lag(sign_in_customer_id) over ({{ in_order }}) as earlier_customer_id,
        lag(occurred_at) over ({{ in_order }}) as earlier_at
    from signed_in
    where sign_in_customer_id is not null
),

-- when the last sign-in of a customer other than this one was
other_sign_ins as (
    select
        visitor_key,
        source_rank,
        event_id,
        max(case when earlier_customer_id <> sign_in_customer_id then earlier_at end) over (
            {{ in_order }} rows between unbounded preceding and current row
        ) as other_at
    from sign_ins
),

joined as (
    select
        signed_in.*,
        other_sign_ins.other_at,
        case when signed_in.sign_in_customer_id is not null then signed_in.occurred_at end
            as sign_in_at
    from signed_in
    left join
        other_sign_ins
        on
            signed_in.visitor_key = other_sign_ins.visitor_key
            and signed_in.source_rank = other_sign_ins.source_rank
            and signed_in.event_id = other_sign_ins.event_id
),

between_sign_ins as (
    select
        *,
        first_value(sign_in_customer_id ignore nulls) over (
            {{ in_order }} rows between current row and unbounded following
        ) as next_customer_id,
        first_value(sign_in_at ignore nulls) over (
            {{ in_order }} rows between current row and unbounded following
        ) as next_at,
        last_value(sign_in_customer_id ignore nulls) over (
            {{ in_order }} rows between unbounded preceding and 1 preceding
        ) as last_customer_id,
        last_value(sign_in_at ignore nulls) over (
            {{ in_order }} rows between unbounded preceding and 1 preceding
        ) as last_at,
        last_value(other_at ignore nulls) over (
            {{ in_order }} rows between unbounded preceding and 1 preceding
        ) as last_other_at
    from joined
),

contested as (
    select
        *,
        case when last_customer_id <> next_customer_id then last_at else last_other_at end
            as contested_at
    from between_sign_ins
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
            when
                next_at <= occurred_at + {{ lookback }}
                and (contested_at is null or contested_at < occurred_at - {{ lookback }})
                then next_customer_id
        end as customer_id,
        channel,
        campaign_id,
        landing_page
    from contested
)

select * from final
