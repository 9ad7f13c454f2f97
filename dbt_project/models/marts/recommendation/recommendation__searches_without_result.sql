with searches as (select * from {{ ref('stg_activity__searches') }}),

session_events as (
    select * from {{ ref('int_core__session_events') }}
    where event_type = 'search'
),

-- programs' searches are no session events; blanks within a query are made one
asked as (
    select
        trim(
            replace(replace(replace(lower(searches.query), ' ', ' ␟'), '␟ ', ''), '␟', '')
        ) as query,
        searches.result_count,
        coalesce(session_events.customer_id, session_events.visitor_id) as searcher,
        searches.occurred_at
    from searches
    inner join session_events on searches.search_id = session_events.event_id
    where
        {{ reporting_date('searches.occurred_at') }}
        > {{ as_of_date() }} - {{ var('search_window_days') }}
),

counted as (
    select
        query,
        count(case when result_count = 0 then 1 end) as search_count,
        count(distinct case when result_count = 0 then searcher end) as people_count,
        count(case when result_count > 0 then 1 end) as found_count,
        max(case when result_count = 0 then occurred_at end) as last_at
    from asked
    where query <> ''
    group by query
),

final as (
    select
        cast(query as {{ varchar(2048) }}) as query,
        search_count,
        people_count,
        found_count,
        last_at
    from counted
    where people_count >= {{ var('minimum_group_size') }}
)

select * from final
