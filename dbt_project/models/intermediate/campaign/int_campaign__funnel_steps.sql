{#- Written nowhere: one model reads it, once. -#}
{{ config(materialized='view') }}

with visitor_steps as (select * from {{ ref('int_campaign__visitor_steps') }}),

events as (
    select * from {{ ref('stg_campaign__events') }}
    where not is_bot and event_type in ('impression', 'ad_click', 'link_click')
),

-- who cannot be told from others came after nothing that is known
unknown as (
    select
        case when event_type = 'impression' then 1 else 2 end as step_number,
        {{ reporting_date('occurred_at') }} as report_date,
        {{ channel_name('channel', 'campaign_id') }} as channel,
        {{ campaign_key('campaign_id') }} as campaign_id,
        false as is_returning,
        cast(null as bigint) as seconds
    from events
    where nullif(visitor_id, '') is null and nullif(customer_id, '') is null
),

steps as (
    select
        step_number,
        report_date,
        channel,
        campaign_id,
        is_returning,
        seconds
    from visitor_steps
    union all
    select * from unknown
),

-- equal times are counted here, so that nobody has to put each of them in order
final as (
    select
        report_date,
        channel,
        campaign_id,
        step_number,
        seconds,
        count(*) as step_count,
        count(case when is_returning then 1 end) as returning_count
    from steps
    group by report_date, channel, campaign_id, step_number, seconds
)

select * from final
