with campaign_events as (select * from {{ ref('stg_campaign__events') }}),

product_events as (select * from {{ ref('stg_activity__product_events') }}),

searches as (select * from {{ ref('stg_activity__searches') }}),

cart_events as (select * from {{ ref('stg_activity__cart_events') }}),

orders as (select * from {{ ref('stg_shop__orders') }}),

-- at one instant what leads comes before what follows: a click before a view, an order last
unioned as (
    select
        1 as source_rank,
        event_id,
        event_type,
        event_type in ('landing_view', 'link_click') as is_session_event,
        cell,
        occurred_at,
        visitor_id,
        customer_id,
        nullif(channel, '') as channel,
        nullif(campaign_id, '') as campaign_id,
        landing_page
    from campaign_events
    union all
    select
        2 as source_rank,
        event_id,
        event_type,
        true as is_session_event,
        cell,
        occurred_at,
        visitor_id,
        customer_id,
        cast(null as {{ varchar(256) }}) as channel,
        cast(null as {{ varchar(256) }}) as campaign_id,
        cast(null as {{ varchar(2048) }}) as landing_page
    from product_events
    union all
    select
        3 as source_rank,
        search_id as event_id,
        'search' as event_type,
        true as is_session_event,
        cell,
        occurred_at,
        visitor_id,
        customer_id,
        cast(null as {{ varchar(256) }}) as channel,
        cast(null as {{ varchar(256) }}) as campaign_id,
        cast(null as {{ varchar(2048) }}) as landing_page
    from searches
    union all
    select
        4 as source_rank,
        event_id,
        'cart' as event_type,
        true as is_session_event,
        cell,
        occurred_at,
        visitor_id,
        customer_id,
        cast(null as {{ varchar(256) }}) as channel,
        cast(null as {{ varchar(256) }}) as campaign_id,
        cast(null as {{ varchar(2048) }}) as landing_page
    from cart_events
    union all
    select
        6 as source_rank,
        order_id as event_id,
        'order' as event_type,
        true as is_session_event,
        cell,
        ordered_at as occurred_at,
        visitor_id,
        customer_id,
        cast(null as {{ varchar(256) }}) as channel,
        cast(null as {{ varchar(256) }}) as campaign_id,
        cast(null as {{ varchar(2048) }}) as landing_page
    from orders
    where visitor_id is not null
),

-- without a visitor the customer stands in; with neither, nobody can say whose visit it was
final as (
    select
        unioned.*,
        case
            when unioned.visitor_id is not null then 'visitor ' || unioned.visitor_id
            when unioned.customer_id is not null then 'customer ' || unioned.customer_id
        end as visitor_key
    from unioned
)

select * from final
