{%- set attributes = ['age_band', 'gender', 'country', 'device'] -%}

with events as (
    select * from {{ ref('stg_campaign__events') }}
    where not is_bot
),

resolved as (
    select * from {{ ref('int_core__resolved_events') }}
    where source_rank = 1
),

orders as (
    select * from {{ ref('int_core__orders') }}
    where is_counted
),

order_refunds as (select * from {{ ref('int_core__order_refunds') }}),

sessions as (select * from {{ ref('int_core__sessions') }}),

last_touches as (
    select * from {{ ref('int_campaign__path_touches') }}
    where order_id is not null
    qualify row_number() over (partition by order_id order by position desc) = 1
),

-- Who it was: the customer if known, else the visitor, else nobody who could be counted. Whoever
-- sends an event may write '(suppressed)' into it, which would take people out of small groups.
described as (
    select
        events.event_id,
        events.event_type,
        {{ reporting_date('events.occurred_at') }} as report_date,
        {{ campaign_key('events.campaign_id') }} as campaign_id,
        {%- for attribute in attributes %}
        case
            when events.{{ attribute }} in ('', '(suppressed)') then '(unknown)'
            else coalesce(events.{{ attribute }}, '(unknown)')
        end as {{ attribute }},
        {%- endfor %}
        coalesce('customer ' || resolved.customer_id, resolved.visitor_key) as person
    from events
    left join resolved on events.event_id = resolved.event_id
),

-- an order's buyer is described by the event that began the visit which it is owed to
bought as (
    select
        orders.order_id,
        orders.order_date as report_date,
        coalesce(last_touches.campaign_id, '(none)') as campaign_id,
        {%- for attribute in attributes %}
        coalesce(described.{{ attribute }}, '(unknown)') as {{ attribute }},
        {%- endfor %}
        coalesce('customer ' || orders.customer_id, sessions.path_key) as person,
        orders.gross_revenue,
        cast(
            orders.gross_revenue - coalesce(order_refunds.refunded_amount, 0) as decimal(18, 4)
        ) as net_revenue
    from orders
    left join order_refunds on orders.order_id = order_refunds.order_id
    left join last_touches on orders.order_id = last_touches.order_id
    left join sessions on last_touches.touchpoint_id = sessions.session_id
    left join described on sessions.event_id = described.event_id and sessions.source_rank = 1
),

final as (
    select
        event_type as kind,
        report_date,
        cast(date_trunc('month', report_date) as date) as month_start,
        campaign_id,
        {{ attributes | join(',\n        ') }},
        person,
        cast(0 as decimal(18, 4)) as gross_revenue,
        cast(0 as decimal(18, 4)) as net_revenue
    from described
    where event_type in ('impression', 'ad_click', 'landing_view')
    union all
    select
        'order' as kind,
        report_date,
        cast(date_trunc('month', report_date) as date) as month_start,
        campaign_id,
        {{ attributes | join(',\n        ') }},
        person,
        gross_revenue,
        net_revenue
    from bought
)

select * from final
