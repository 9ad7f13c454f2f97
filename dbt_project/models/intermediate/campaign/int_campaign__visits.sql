with sessions as (select * from {{ ref('int_core__sessions') }}),

session_events as (select * from {{ ref('int_core__session_events') }}),

orders as (
    select * from {{ ref('int_core__orders') }}
    where is_counted
),

order_refunds as (select * from {{ ref('int_core__order_refunds') }}),

steps as (
    select
        session_events.session_id,
        min(case when session_events.event_type = 'view' then session_events.occurred_at end)
            as viewed_at,
        min(case when session_events.event_type = 'cart' then session_events.occurred_at end)
            as carted_at,
        min(orders.ordered_at) as ordered_at,
        count(orders.order_id) as order_count,
        cast(coalesce(sum(orders.gross_revenue), 0) as decimal(18, 4)) as gross_revenue,
        cast(
            coalesce(sum(orders.gross_revenue), 0)
            - coalesce(sum(order_refunds.refunded_amount), 0) as decimal(18, 4)
        ) as net_revenue
    from session_events
    left join
        orders
        on session_events.event_id = orders.order_id and session_events.event_type = 'order'
    left join order_refunds on orders.order_id = order_refunds.order_id
    where session_events.event_type in ('view', 'cart', 'order')
    group by session_events.session_id
),

final as (
    select
        sessions.session_id,
        sessions.visitor_key,
        sessions.session_date,
        sessions.channel,
        sessions.campaign_id,
        -- what follows the path differs from link to link and is no other page
        coalesce(
            nullif(split_part(split_part(sessions.landing_page, '?', 1), '#', 1), ''), '(none)'
        ) as landing_page,
        sessions.source_rank,
        sessions.event_id,
        sessions.started_at,
        sessions.event_count,
        row_number() over (
            partition by sessions.visitor_key
            order by sessions.started_at, sessions.source_rank, sessions.event_id
        ) as visit_number,
        steps.viewed_at,
        steps.carted_at,
        steps.ordered_at,
        coalesce(steps.order_count, 0) as order_count,
        coalesce(steps.gross_revenue, 0) as gross_revenue,
        coalesce(steps.net_revenue, 0) as net_revenue
    from sessions
    left join steps on sessions.session_id = steps.session_id
)

select * from final
