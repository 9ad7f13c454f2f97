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
{%- set in_order = "partition by visitor_key order by occurred_at, source_rank, event_id" -%}
{%- set so_far = "rows between unbounded preceding and current row" -%}

with events as (
    select * from {{ ref('int_core__resolved_events') }}
    where
        is_session_event
        and {{ is_changed('int_core__visitor_prints', row_hash(['visitor_key'])) }}
),

valued as (
    select
        *,
        coalesce(channel, '') || '|' || coalesce(campaign_id, '') as came_by,
        lag(occurred_at) over ({{ in_order }}) as previous_at
    from events
),

-- a visit ends with a long silence ...
visits as (
    select
        *,
        previous_at is null
        or occurred_at > previous_at + interval '{{ var("session_gap_minutes") }} minutes'
            as is_visit_start,
        event_type = 'landing_view' and came_by <> '|' as is_landing
    from valued
),

-- ... or where the visitor lands again from elsewhere. The session's own value is that of its first
-- event, which after such a landing is the landing itself: the previous landing tells it.
compared as (
    select
        *,
        last_value(case when is_visit_start or is_landing then came_by end ignore nulls) over (
            {{ in_order }} rows between unbounded preceding and 1 preceding
        ) as came_before_by
    from visits
),

started as (
    select
        *,
        is_visit_start or (is_landing and came_by <> came_before_by) as is_session_start
    from compared
),

named as (
    select
        *,
        last_value(
            case
                when is_session_start
                    then
                        visitor_key || '|' || {{ time_text('occurred_at') }} || '|'
                        || cast(source_rank as {{ varchar(8) }}) || '|' || event_id
            end ignore nulls
        ) over ({{ in_order }} {{ so_far }}) as session_name,
        last_value(case when is_session_start then occurred_at end ignore nulls) over (
            {{ in_order }} {{ so_far }}
        ) as opened_at
    from started
),

-- a visit that never ends is cut into parts of a fixed length from its start; few are so long
parted as (
    select
        *,
        case
            when occurred_at < opened_at + interval '{{ var("session_max_hours") }} hours' then 0
            else {{ whole_periods('opened_at', 'occurred_at', var('session_max_hours')) }}
        end as part_number
    from named
),

final as (
    select
        case
            when part_number = 0 then md5(session_name)
            else md5(session_name || '|' || cast(part_number as {{ varchar(32) }}))
        end as session_id,
        -- a part goes on with the session that was cut
        case when part_number > 0 then md5(session_name) end as cut_session_id,
        is_session_start
        or (
            part_number > 0
            and part_number > {{ whole_periods(
                'opened_at', 'previous_at', var('session_max_hours')
            ) }}
        ) as is_session_start,
        source_rank,
        event_id,
        event_type,
        cell,
        occurred_at,
        visitor_id,
        visitor_key,
        customer_id,
        channel,
        campaign_id,
        landing_page
    from parted
)

select * from final
