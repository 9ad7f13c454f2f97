{#- Written nowhere: it is as wide as all of staging, and mostly only some visitors are read. -#}
{{ config(materialized='view') }}
{#- At one instant what leads comes before what follows, in this order: an advertisement's click
    before the view that it brought, an order last. An affiliate's link is a channel like the
    landing that follows it, so that the two are one visit. -#}
{%- set sources = [
    {
        'name': 'campaign_events',
        'event_type': 'event_type',
        'is_session_event': "event_type in ('landing_view', 'link_click')",
        'channel': "nullif(channel, '')",
        'campaign_id': "nullif(campaign_id, '')",
        'landing_page': 'landing_page',
        'age_band': 'age_band',
        'gender': 'gender',
        'country': 'country',
        'device': 'device',
    },
    {'name': 'product_events', 'event_type': 'event_type'},
    {'name': 'searches', 'event_id': 'search_id', 'event_type': "'search'"},
    {'name': 'cart_events', 'event_type': "'cart'"},
    {
        'name': 'affiliate_clicks',
        'event_id': 'click_id',
        'event_type': "'affiliate_click'",
        'channel': "'affiliate'",
        'landing_page': 'landing_page',
    },
    {
        'name': 'orders',
        'event_id': 'order_id',
        'event_type': "'order'",
        'occurred_at': 'ordered_at',
        'condition': "nullif(visitor_id, '') is not null",
    },
] -%}

with campaign_events as (
    select * from {{ ref('stg_campaign__events') }}
    where not is_bot
),

product_events as (select * from {{ ref('stg_activity__product_events') }}),

searches as (select * from {{ ref('stg_activity__searches') }}),

cart_events as (select * from {{ ref('stg_activity__cart_events') }}),

affiliate_clicks as (select * from {{ ref('stg_affiliate__clicks') }}),

orders as (select * from {{ ref('stg_shop__orders') }}),

bot_visitors as (select * from {{ ref('base_campaign__bot_visitors') }}),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

unioned as (
    {%- for source in sources %}
    select
        {{ loop.index }} as source_rank,
        {{ source.get('event_id', 'event_id') }} as event_id,
        {{ source['event_type'] }} as event_type,
        {{ source.get('is_session_event', 'true') }} as is_session_event,
        cell,
        {{ source.get('occurred_at', 'occurred_at') }} as occurred_at,
        nullif(visitor_id, '') as visitor_id,
        nullif(customer_id, '') as named_customer_id,
        cast({{ source.get('channel', 'null') }} as {{ varchar(256) }}) as channel,
        cast({{ source.get('campaign_id', 'null') }} as {{ varchar(256) }}) as campaign_id,
        cast({{ source.get('landing_page', 'null') }} as {{ varchar(2048) }}) as landing_page,
        cast({{ source.get('age_band', 'null') }} as {{ varchar(64) }}) as age_band,
        cast({{ source.get('gender', 'null') }} as {{ varchar(64) }}) as gender,
        cast({{ source.get('country', 'null') }} as {{ varchar(256) }}) as country,
        cast({{ source.get('device', 'null') }} as {{ varchar(256) }}) as device
    from {{ source['name'] }}
    {%- if 'condition' in source %}
    where {{ source['condition'] }}
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- An account that was merged acts for the one that survives. A visitor that is a program visits
-- nothing; none of them has an order.
survivors as (
    select
        unioned.source_rank,
        unioned.event_id,
        unioned.event_type,
        unioned.is_session_event,
        unioned.cell,
        unioned.occurred_at,
        unioned.visitor_id,
        coalesce(customer_aliases.customer_id, unioned.named_customer_id) as customer_id,
        unioned.channel,
        unioned.campaign_id,
        unioned.landing_page,
        unioned.age_band,
        unioned.gender,
        unioned.country,
        unioned.device
    from unioned
    left join
        customer_aliases
        on unioned.named_customer_id = customer_aliases.merged_customer_id
    left join bot_visitors on unioned.visitor_id = bot_visitors.visitor_id
    where bot_visitors.visitor_id is null
),

-- without a visitor the customer stands in; with neither, nobody can say whose visit it was
final as (
    select
        survivors.*,
        case
            when survivors.visitor_id is not null then 'visitor ' || survivors.visitor_id
            when survivors.customer_id is not null then 'customer ' || survivors.customer_id
        end as visitor_key
    from survivors
)

select * from final
