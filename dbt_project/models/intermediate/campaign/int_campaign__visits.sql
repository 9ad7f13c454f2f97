{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__visit_prints')) }}",
        "{{ forget_changed(ref('int_campaign__visit_prints'), row_hash(['visitor_key'])) }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__visit_prints')) }}"],
) }}
with sessions as (
    select * from {{ ref('int_core__sessions') }}
    where {{ is_changed('int_campaign__visit_prints', row_hash(['visitor_key'])) }}
),

order_events as (
    select * from {{ ref('int_core__session_events') }}
    where
        event_type = 'order'
        and {{ is_changed('int_campaign__visit_prints', row_hash(['visitor_key'])) }}
),

orders as (
    select * from {{ ref('int_core__orders') }}
    where is_counted
),

order_refunds as (select * from {{ ref('int_core__order_refunds') }}),

bought as (
    select
        order_events.session_id,
        min(orders.ordered_at) as ordered_at,
        count(*) as order_count,
        cast(sum(orders.gross_revenue) as decimal(18, 4)) as gross_revenue,
        cast(
            sum(orders.gross_revenue) - coalesce(sum(order_refunds.refunded_amount), 0)
            as decimal(18, 4)
        ) as net_revenue
    from order_events
    inner join orders on order_events.event_id = orders.order_id
    left join order_refunds on orders.order_id = order_refunds.order_id
    group by order_events.session_id
),

joined as (
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
        sessions.viewed_at,
        sessions.carted_at,
        bought.ordered_at,
        coalesce(bought.order_count, 0) as order_count,
        coalesce(bought.gross_revenue, 0) as gross_revenue,
        coalesce(bought.net_revenue, 0) as net_revenue
    from sessions
    left join bought on sessions.session_id = bought.session_id
),

-- what days are made of
final as (
    select
        *,
        {{ row_hash([
            'session_date', 'channel', 'campaign_id', 'landing_page', 'visit_number',
            'event_count', 'viewed_at', 'carted_at', 'ordered_at', 'order_count',
            'gross_revenue', 'net_revenue',
        ]) }} as digest
    from joined
)

select * from final
