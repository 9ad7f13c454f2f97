with events as (
    select * from {{ ref('stg_campaign__events') }}
    where not is_bot
),

sessions as (select * from {{ ref('int_core__sessions') }}),

spend as (select * from {{ ref('stg_campaign__spend') }}),

spend_rates as (select * from {{ ref('int_finance__spend_rates') }}),

campaigns as (select * from {{ ref('stg_campaign__campaigns') }}),

spend_by_channel as (
    select
        spend.spend_date as report_date,
        {{ channel_name('campaigns.channel', 'spend.campaign_id') }} as channel,
        {{ campaign_key('spend.campaign_id') }} as campaign_id,
        {{ reporting_amount('spend.amount', 'spend_rates.rate') }} as spend
    from spend
    inner join
        spend_rates
        on
            spend.spend_date = spend_rates.spend_date
            and spend.campaign_id = spend_rates.campaign_id
    left join campaigns on spend.campaign_id = campaigns.campaign_id
    where spend_rates.rate is not null
),

events_by_channel as (
    select
        {{ reporting_date('occurred_at') }} as report_date,
        {{ channel_name('channel', 'campaign_id') }} as channel,
        {{ campaign_key('campaign_id') }} as campaign_id,
        event_type
    from events
    where event_type in ('impression', 'ad_click', 'landing_view')
),

sessions_in_order as (
    select
        session_date as report_date,
        channel,
        campaign_id,
        row_number() over (
            partition by visitor_key order by started_at, source_rank, event_id
        ) as visit_number
    from sessions
),

movements as (
    select
        report_date,
        channel,
        campaign_id,
        spend,
        'spend' as kind
    from spend_by_channel
    union all
    select
        report_date,
        channel,
        campaign_id,
        cast(0 as decimal(18, 4)) as spend,
        event_type as kind
    from events_by_channel
    union all
    select
        report_date,
        channel,
        campaign_id,
        cast(0 as decimal(18, 4)) as spend,
        case when visit_number = 1 then 'first session' else 'session' end as kind
    from sessions_in_order
),

final as (
    select
        report_date,
        channel,
        campaign_id,
        cast(sum(spend) as decimal(18, 4)) as spend,
        count(case when kind = 'impression' then 1 end) as impressions,
        count(case when kind = 'ad_click' then 1 end) as ad_clicks,
        count(case when kind = 'landing_view' then 1 end) as landing_views,
        count(case when kind in ('session', 'first session') then 1 end) as sessions,
        count(case when kind = 'first session' then 1 end) as new_visitors
    from movements
    group by report_date, channel, campaign_id
)

select * from final
