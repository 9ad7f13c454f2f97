with session_events as (
    select * from {{ ref('int_core__session_events') }}
    where event_type in ('view', 'wishlist')
),

product_events as (select * from {{ ref('stg_activity__product_events') }}),

rules as (select * from {{ ref('trigger_rules') }}),

-- a look may count long before what happens to the product
bounds as (
    select
        {{ as_of() }} - ({{ var('trigger_window_days') }} + coalesce(max(lookback_days), 0))
        * interval '1 day' as begins_at
    from rules
),

looked as (
    select
        session_events.session_id,
        session_events.customer_id,
        session_events.visitor_id,
        session_events.event_id,
        session_events.event_type,
        session_events.cell,
        session_events.occurred_at,
        product_events.product_id
    from session_events
    inner join product_events on session_events.event_id = product_events.event_id
    inner join bounds on session_events.occurred_at >= bounds.begins_at
),

-- a visit's first view of a product stands for all of them
final as (
    select
        event_id as look_id,
        session_id,
        customer_id,
        visitor_id,
        product_id,
        cell,
        occurred_at as looked_at,
        count(*) over (partition by session_id, customer_id, product_id) as view_count,
        max(case when event_type = 'wishlist' then 1 else 0 end) over (
            partition by session_id, customer_id, product_id
        ) = 1 as is_wished
    from looked
    qualify
        row_number() over (
            partition by session_id, customer_id, product_id order by occurred_at, event_id
        ) = 1
)

select * from final
