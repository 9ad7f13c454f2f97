with events as (select * from {{ ref('base_campaign__tagged_events') }}),

channels as (select * from {{ ref('base_campaign__channels') }}),

bot_agents as (select * from {{ ref('base_campaign__bot_agents') }}),

bot_visitors as (select * from {{ ref('base_campaign__bot_visitors') }}),

campaign_tags as (select * from {{ ref('base_campaign__campaign_tags') }}),

campaigns as (select * from {{ ref('stg_campaign__campaigns') }}),

due as (
    select
        events.event_id,
        events._cell,
        events.event_type,
        events.due_at,
        events.first_received_at,
        events.visitor_id,
        events.customer_id,
        events.given_channel,
        events.source_tag,
        events.medium_tag,
        events.campaign_tag,
        events.content_tag,
        events.term_tag,
        events.landing_page,
        events.parameter_names,
        events.referrer,
        events.referrer_host,
        events.device,
        events.country,
        events.age_band,
        events.gender,
        events.user_agent,
        events.is_bot,
        events.is_time_replaced,
        events._load_id,
        {{ reporting_date('events.due_at') }} as event_date,
        nullif(events.campaign_id, '') as given_campaign_id
    from events
    where {{ is_due('events.due_at') }}
),

found as (
    select
        due.*,
        coalesce(due.given_campaign_id, campaign_tags.campaign_id) as known_campaign_id
    from due
    left join
        campaign_tags
        on
            due.campaign_tag = campaign_tags.utm_campaign
            and due.event_date >= campaign_tags.valid_from
            and due.event_date < campaign_tags.valid_before
),

-- what the shop says itself wins, then the channel of its campaign, then the rules
judged as (
    select
        found.*,
        channels.click_id_kind,
        coalesce(found.given_channel, campaigns.channel, channels.channel) as known_channel,
        case
            when found.given_channel is not null then 'given'
            when campaigns.channel is not null then 'campaign'
            else channels.channel_rule
        end as channel_rule,
        case
            when found.is_bot then 'flagged'
            else coalesce(bot_agents.reason, bot_visitors.bot_reason)
        end as bot_reason
    from found
    left join campaigns on found.known_campaign_id = campaigns.campaign_id
    left join
        channels
        on
            coalesce(found.source_tag, '') = channels.source_tag
            and coalesce(found.medium_tag, '') = channels.medium_tag
            and coalesce(found.campaign_tag, '') = channels.campaign_tag
            and coalesce(found.referrer_host, '') = channels.referrer_host
            and found.parameter_names = channels.parameter_names
            and found.event_date >= channels.valid_from
            and found.event_date < channels.valid_before
    left join bot_agents on found.user_agent = bot_agents.user_agent
    left join bot_visitors on found.visitor_id = bot_visitors.visitor_id
),

final as (
    select
        cast(event_id as {{ varchar(256) }}) as event_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(event_type as {{ varchar(64) }}) as event_type,
        due_at as occurred_at,
        first_received_at as received_at,
        cast(visitor_id as {{ varchar(256) }}) as visitor_id,
        cast(customer_id as {{ varchar(256) }}) as customer_id,
        cast(known_campaign_id as {{ varchar(256) }}) as campaign_id,
        -- nothing led here: a direct visit has no channel of its own that could end another visit
        cast(nullif(known_channel, 'direct') as {{ varchar(256) }}) as channel,
        cast(source_tag as {{ varchar(1024) }}) as utm_source,
        cast(medium_tag as {{ varchar(1024) }}) as utm_medium,
        cast(campaign_tag as {{ varchar(1024) }}) as utm_campaign,
        cast(content_tag as {{ varchar(1024) }}) as utm_content,
        cast(term_tag as {{ varchar(1024) }}) as utm_term,
        cast(landing_page as {{ varchar(2048) }}) as landing_page,
        cast(referrer as {{ varchar(2048) }}) as referrer,
        cast(device as {{ varchar(256) }}) as device,
        cast(country as {{ varchar(256) }}) as country,
        cast(age_band as {{ varchar(64) }}) as age_band,
        cast(gender as {{ varchar(64) }}) as gender,
        bot_reason is not null as is_bot,
        is_time_replaced,
        cast(_load_id as {{ varchar(64) }}) as _load_id,
        cast(click_id_kind as {{ varchar(64) }}) as click_id_kind,
        cast(channel_rule as {{ varchar(64) }}) as channel_rule,
        cast(bot_reason as {{ varchar(64) }}) as bot_reason
    from judged
)

select * from final
