{%- set activity = {
    'product_events': 'event_type',
    'searches': "'search'",
    'cart_events': "'cart'",
    'affiliate_clicks': "'affiliate_click'",
} %}

with campaign_events as (
    select * from {{ ref('stg_campaign__events') }}
    where is_bot
),

product_events as (select * from {{ ref('stg_activity__product_events') }}),

searches as (select * from {{ ref('stg_activity__searches') }}),

cart_events as (select * from {{ ref('stg_activity__cart_events') }}),

affiliate_clicks as (select * from {{ ref('stg_affiliate__clicks') }}),

bot_visitors as (select * from {{ ref('base_campaign__bot_visitors') }}),

excluded as (
    select
        {{ reporting_date('occurred_at') }} as report_date,
        bot_reason as reason,
        event_type
    from campaign_events
    {%- for events, event_type in activity.items() %}
    union all
    select
        {{ reporting_date('events.occurred_at') }} as report_date,
        bot_visitors.bot_reason as reason,
        {{ event_type if event_type[0] == "'" else 'events.' ~ event_type }} as event_type
    from {{ events }} as events
    inner join bot_visitors on events.visitor_id = bot_visitors.visitor_id
    {%- endfor %}
),

final as (
    select
        report_date,
        cast(reason as {{ varchar(64) }}) as reason,
        cast(event_type as {{ varchar(64) }}) as event_type,
        count(*) as event_count
    from excluded
    group by report_date, reason, event_type
)

select * from final
