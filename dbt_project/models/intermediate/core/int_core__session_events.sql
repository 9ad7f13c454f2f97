{%- set in_order = "order by occurred_at, source_rank, event_id" -%}
{%- set so_far = "rows between unbounded preceding and current row" -%}

with events as (
    select * from {{ ref('int_core__resolved_events') }}
    where is_session_event
),

valued as (
    select
        *,
        coalesce(channel, '') || '|' || coalesce(campaign_id, '') as came_by,
        lag(occurred_at) over (partition by visitor_key {{ in_order }}) as previous_at
    from events
),

-- a visit ends with a long silence ...
visits as (
    select
        *,
        sum(
            case
                when
                    occurred_at > previous_at
                    + interval '{{ var("session_gap_minutes") }} minutes'
                    then 1
                else 0
            end
        ) over (partition by visitor_key {{ in_order }} {{ so_far }}) as visit_number,
        case when event_type = 'landing_view' and came_by <> '|' then came_by end as landed_by
    from valued
),

-- ... or where the visitor lands again from elsewhere. The session's own value is that of its first
-- event, which after such a landing is the landing itself: the previous landing tells it.
compared as (
    select
        *,
        first_value(came_by) over (
            partition by visitor_key, visit_number {{ in_order }} {{ so_far }}
        ) as opened_by,
        last_value(landed_by ignore nulls) over (
            partition by visitor_key, visit_number {{ in_order }}
            rows between unbounded preceding and 1 preceding
        ) as landed_before_by,
        row_number() over (partition by visitor_key, visit_number {{ in_order }}) as visit_position
    from visits
),

started as (
    select
        *,
        visit_position = 1
        or (landed_by is not null and landed_by <> coalesce(landed_before_by, opened_by))
            as is_session_start
    from compared
),

numbered as (
    select
        *,
        sum(case when is_session_start then 1 else 0 end) over (
            partition by visitor_key {{ in_order }} {{ so_far }}
        ) as session_number
    from started
),

named as (
    select
        *,
        first_value(
            visitor_key || '|' || {{ time_text('occurred_at') }} || '|'
            || cast(source_rank as {{ varchar(8) }}) || '|' || event_id
        ) over (
            partition by visitor_key, session_number {{ in_order }} {{ so_far }}
        ) as session_name,
        first_value(occurred_at) over (
            partition by visitor_key, session_number {{ in_order }} {{ so_far }}
        ) as opened_at
    from numbered
),

-- a visit that never ends is cut into parts of a fixed length from its start
parted as (
    select
        *,
        {{ whole_periods('opened_at', 'occurred_at', var('session_max_hours')) }} as part_number,
        {{ whole_periods('opened_at', 'previous_at', var('session_max_hours')) }}
            as previous_part_number
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
        is_session_start or part_number > previous_part_number as is_session_start,
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
