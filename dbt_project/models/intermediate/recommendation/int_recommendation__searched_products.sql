with searches as (select * from {{ ref('stg_activity__searches') }}),

session_events as (
    select * from {{ ref('int_core__session_events') }}
    where event_type = 'search'
),

final as (
    select
        searches.search_id,
        searches.query,
        session_events.customer_id,
        session_events.visitor_id,
        searches.clicked_product_id as product_id,
        searches.cell,
        searches.occurred_at as searched_at
    from searches
    inner join session_events on searches.search_id = session_events.event_id
    where
        searches.occurred_at >= {{ as_of() }} - interval '{{ var("trigger_window_days") }} days'
        and searches.clicked_product_id is not null
)

select * from final
