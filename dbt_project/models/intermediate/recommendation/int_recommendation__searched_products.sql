with searches as (
    select
        search_id,
        query,
        cell,
        occurred_at,
        nullif(clicked_product_id, '') as clicked_product_id
    from {{ ref('stg_activity__searches') }}
),

matched_queries as (select * from {{ ref('int_recommendation__matched_queries') }}),

session_events as (
    select * from {{ ref('int_core__session_events') }}
    where event_type = 'search'
),

-- the product that was opened, else the one whose name is closest to what was searched for
final as (
    select
        searches.search_id,
        searches.query,
        session_events.customer_id,
        session_events.visitor_id,
        coalesce(searches.clicked_product_id, matched_queries.product_id) as product_id,
        searches.cell,
        searches.occurred_at as searched_at
    from searches
    inner join session_events on searches.search_id = session_events.event_id
    left join
        matched_queries
        on searches.query = matched_queries.query and searches.clicked_product_id is null
    where
        searches.occurred_at >= {{ as_of() }} - interval '{{ var("trigger_window_days") }} days'
        and coalesce(searches.clicked_product_id, matched_queries.product_id) is not null
)

select * from final
