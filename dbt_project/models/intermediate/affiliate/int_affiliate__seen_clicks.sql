{%- set settings = [
    'click_duplicate_seconds',
    'click_agent_minimum_clicks',
    'click_crowd_browsers',
    'click_crowd_seconds',
    'click_address_per_hour',
    'click_affiliate_per_minute',
    'click_order_minimum_clicks',
    'click_own_device_days',
    'click_order_minimum_seconds',
    'click_agent_seen_share',
    'click_order_share',
] -%}

with clicks as (select * from {{ ref('stg_affiliate__clicks') }}),

session_events as (
    select * from {{ ref('int_core__session_events') }}
    where event_type = 'affiliate_click'
),

sessions as (select * from {{ ref('int_core__sessions') }}),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

bot_visitors as (select * from {{ ref('base_campaign__bot_visitors') }}),

rules as (
    select
        *,
        {{ day_start('valid_from') }} as starts_at,
        {{ day_start('valid_before') }} as ends_at
    from {{ ref('int_affiliate__rules') }}
),

known as (select distinct affiliate_id from rules),

-- where a shop does not tell what visitors look at, or not on that day, nothing follows any click
told_days as (
    select distinct
        cell,
        session_date
    from sessions
    where event_count > affiliate_click_count + order_count
),

visits as (
    select
        session_events.event_id as click_id,
        session_events.customer_id,
        session_events.visitor_key,
        sessions.ended_at,
        sessions.order_count > 0 as is_ordered,
        sessions.event_count > sessions.affiliate_click_count as is_seen,
        told_days.cell is not null as is_told
    from session_events
    inner join sessions on session_events.session_id = sessions.session_id
    left join
        told_days
        on
            sessions.cell = told_days.cell
            and sessions.session_date = told_days.session_date
),

identified as (
    select
        clicks.click_id,
        clicks.cell,
        clicks.affiliate_id,
        clicks.occurred_at,
        nullif(clicks.visitor_id, '') as visitor_id,
        coalesce(visits.customer_id, customer_aliases.customer_id, nullif(clicks.customer_id, ''))
            as customer_id,
        clicks.product_id,
        clicks.landing_page,
        nullif(clicks.ip_hash, '') as address,
        nullif(clicks.user_agent_hash, '') as user_agent,
        bot_visitors.bot_reason,
        visits.ended_at,
        visits.is_ordered,
        visits.is_seen,
        coalesce(visits.is_told, false) as is_told,
        coalesce(known.affiliate_id, '(none)') as ruled_id
    from clicks
    left join visits on clicks.click_id = visits.click_id
    left join customer_aliases on clicks.customer_id = customer_aliases.merged_customer_id
    left join bot_visitors on clicks.visitor_id = bot_visitors.visitor_id
    left join known on clicks.affiliate_id = known.affiliate_id
),

-- What follows a click may be told late: until then nobody knows whether nothing did.
ruled as (
    select
        identified.*,
        {%- for name in settings %}
        rules.{{ name }},
        {%- endfor %}
        identified.ended_at + rules.click_unseen_hours * interval '1 hour' <= {{ as_of() }}
            as is_over
    from identified
    inner join
        rules
        on
            identified.ruled_id = rules.affiliate_id
            and identified.occurred_at >= rules.starts_at
            and identified.occurred_at < rules.ends_at
),

final as (
    select
        click_id,
        cell,
        affiliate_id,
        occurred_at,
        visitor_id,
        customer_id,
        case
            when customer_id is not null then 'customer ' || customer_id
            when visitor_id is not null then 'visitor ' || visitor_id
        end as path_key,
        case
            when visitor_id is not null then 'visitor ' || visitor_id
            when customer_id is not null then 'customer ' || customer_id
            when address is not null and user_agent is not null
                then 'browser ' || address || ' ' || user_agent
            else 'click ' || click_id
        end as browser_key,
        product_id,
        landing_page,
        address,
        user_agent,
        bot_reason,
        {%- for name in settings %}
        {{ name }},
        {%- endfor %}
        coalesce(is_ordered, false) as is_ordered,
        case
            when is_seen then true
            when is_told and is_over then false
        end as is_seen
    from ruled
)

select * from final
