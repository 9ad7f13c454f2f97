with triggers as (select * from {{ ref('recommendation__email_triggers') }}),

contacts as (select * from {{ ref('int_recommendation__trigger_contacts') }}),

handed_out as (
    select * from {{ source('ledger', 'trigger_outbox') }}
    where exported_at <= {{ as_of() }}
),

events as (
    select * from {{ ref('stg_campaign__events') }}
    where
        not is_bot
        and event_type in ('landing_view', 'link_click')
        and utm_content is not null
),

sessions as (
    select * from {{ ref('int_core__sessions') }}
    where source_rank = 1
),

touches as (
    select * from {{ ref('int_campaign__touch_weights') }}
    where last_touch_credit = 1
),

orders as (
    select * from {{ ref('int_core__orders') }}
    where is_counted
),

-- an e-mail is clicked once, whatever its reader does
first_clicks as (
    select
        contacts.trigger_id,
        contacts.kind,
        min(events.occurred_at) as clicked_at
    from events
    inner join contacts on events.utm_content = contacts.trigger_id
    group by contacts.trigger_id, contacts.kind
),

-- the order's last touch is a visit that began with a link of the e-mail
earned as (
    select
        contacts.kind,
        orders.ordered_at,
        orders.gross_revenue
    from touches
    inner join sessions on touches.touchpoint_id = sessions.session_id
    inner join events on sessions.event_id = events.event_id
    inner join contacts on events.utm_content = contacts.trigger_id
    inner join orders on touches.order_id = orders.order_id
),

counted as (
    select
        {{ reporting_date('due_at') }} as report_date,
        kind,
        1 as due_count,
        case when status = 'suppressed' then 1 else 0 end as suppressed_count,
        0 as exported_count,
        0 as sent_count,
        0 as clicked_count,
        0 as order_count,
        cast(0 as decimal(18, 4)) as revenue
    from triggers
    union all
    select
        {{ reporting_date('exported_at') }} as report_date,
        kind,
        0 as due_count,
        0 as suppressed_count,
        1 as exported_count,
        0 as sent_count,
        0 as clicked_count,
        0 as order_count,
        0 as revenue
    from handed_out
    union all
    select
        {{ reporting_date('contacted_at') }} as report_date,
        kind,
        0 as due_count,
        0 as suppressed_count,
        0 as exported_count,
        1 as sent_count,
        0 as clicked_count,
        0 as order_count,
        0 as revenue
    from contacts
    -- a time that the e-mail tool told wrong is of no day
    where status = 'sent' and contacted_at is not null
    union all
    select
        {{ reporting_date('clicked_at') }} as report_date,
        kind,
        0 as due_count,
        0 as suppressed_count,
        0 as exported_count,
        0 as sent_count,
        1 as clicked_count,
        0 as order_count,
        0 as revenue
    from first_clicks
    union all
    select
        {{ reporting_date('ordered_at') }} as report_date,
        kind,
        0 as due_count,
        0 as suppressed_count,
        0 as exported_count,
        0 as sent_count,
        0 as clicked_count,
        1 as order_count,
        gross_revenue as revenue
    from earned
),

final as (
    select
        report_date,
        cast(coalesce(kind, '(unknown)') as {{ varchar(64) }}) as kind,
        cast(sum(due_count) as bigint) as due_count,
        cast(sum(suppressed_count) as bigint) as suppressed_count,
        cast(sum(exported_count) as bigint) as exported_count,
        cast(sum(sent_count) as bigint) as sent_count,
        cast(sum(clicked_count) as bigint) as clicked_count,
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(revenue) as decimal(18, 4)) as attributed_revenue
    from counted
    group by report_date, coalesce(kind, '(unknown)')
)

select * from final
