{{ config(materialized='table') }}

{%- set activity = ['product_events', 'searches', 'cart_events'] %}

with campaign_events as (select * from {{ ref('base_campaign__tagged_events') }}),

bot_agents as (select * from {{ ref('base_campaign__bot_agents') }}),
{% for entity in activity %}
{{ entity }} as (select * from {{ ref('stg_activity__' ~ entity) }}),
{% endfor %}
orders as (select * from {{ ref('stg_shop__orders') }}),

events as (
    select
        visitor_id,
        due_at as occurred_at
    from campaign_events
    where {{ is_due() }}
    {%- for entity in activity %}
    union all
    select
        visitor_id,
        occurred_at
    from {{ entity }}
    {%- endfor %}
),

fast as (
    select
        visitor_id,
        date_trunc('minute', occurred_at) as minute_start
    from events
    where visitor_id <> ''
    group by visitor_id, date_trunc('minute', occurred_at)
    having count(*) > {{ var('bot_events_per_minute') }}
),

-- the reason that is told first: what the source says, then the program's name, then its speed
reasons as (
    select
        campaign_events.visitor_id,
        case when campaign_events.is_bot then 1 else 2 end as reason_rank,
        case when campaign_events.is_bot then 'flagged' else bot_agents.reason end as bot_reason
    from campaign_events
    left join bot_agents on campaign_events.user_agent = bot_agents.user_agent
    where
        {{ is_due() }}
        and campaign_events.visitor_id <> ''
        and (campaign_events.is_bot or bot_agents.reason is not null)
    union all
    select
        visitor_id,
        3 as reason_rank,
        'rate' as bot_reason
    from fast
),

buyers as (
    select distinct visitor_id
    from orders
    where visitor_id <> ''
),

-- programs buy nothing: whoever ordered is a person, some of whose events may look odd
final as (
    select
        reasons.visitor_id,
        reasons.bot_reason
    from reasons
    left join buyers on reasons.visitor_id = buyers.visitor_id
    where buyers.visitor_id is null
    qualify
        row_number() over (
            partition by reasons.visitor_id order by reasons.reason_rank, reasons.bot_reason
        ) = 1
)

select * from final
