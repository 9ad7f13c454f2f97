with events as (
    select count(*) as event_count
    from {{ ref('int_core__visitor_events') }}
    where is_session_event and visitor_key is not null
),

sessions as (
    select coalesce(sum(event_count), 0) as event_count
    from {{ ref('core__sessions') }}
)

select
    events.event_count,
    sessions.event_count as session_event_count
from events
cross join sessions
where events.event_count <> sessions.event_count
