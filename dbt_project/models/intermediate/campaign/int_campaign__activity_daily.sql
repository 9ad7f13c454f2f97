{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__activity_prints'), 'report_date') }}",
        "{{ forget_changed(ref('int_campaign__activity_prints'), 'report_date', 'report_date') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__activity_prints'), 'report_date') }}"],
) }}
with events as (
    select * from {{ ref('int_campaign__seen_events') }}
    where {{ is_changed('int_campaign__activity_prints', 'report_date', 'report_date') }}
),

visits as (
    select * from {{ ref('int_campaign__visits') }}
    where {{ is_changed('int_campaign__activity_prints', 'session_date', 'report_date') }}
),

spend as (
    select * from {{ ref('int_campaign__spend_daily') }}
    where {{ is_changed('int_campaign__activity_prints', 'report_date', 'report_date') }}
),

movements as (
    select
        report_date,
        channel,
        campaign_id,
        spend,
        'spend' as kind
    from spend
    union all
    select
        report_date,
        channel,
        campaign_id,
        cast(0 as decimal(18, 4)) as spend,
        kind
    from events
    union all
    select
        session_date as report_date,
        channel,
        campaign_id,
        cast(0 as decimal(18, 4)) as spend,
        case when visit_number = 1 then 'first session' else 'session' end as kind
    from visits
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
