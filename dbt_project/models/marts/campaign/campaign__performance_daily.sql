{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__day_prints'), 'report_date') }}",
        "{{ forget_changed(ref('int_campaign__day_prints'), 'report_date', 'report_date') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__day_prints'), 'report_date') }}"],
) }}
with activity as (
    select * from {{ ref('campaign__activity_daily') }}
    where {{ is_changed('int_campaign__day_prints', 'report_date', 'report_date') }}
),

orders as (
    select * from {{ ref('int_core__orders') }}
    where {{ is_changed('int_campaign__day_prints', 'order_date', 'report_date') }}
),

line_costs as (
    select * from {{ ref('int_affiliate__line_costs') }}
    where {{ is_changed('int_campaign__day_prints', 'order_date', 'report_date') }}
),

-- Each model repeats what was spent and seen, so that one model alone is the whole picture; a shop
-- that has sold nothing yet has its activity too. What is read here and below by one name would be
-- written down first, all rows of it.
models as (
    select model from {{ ref('campaign__attribution') }}
    union
    select cast('last_touch' as {{ varchar(64) }}) as model
),

movements as (
    select
        activity.report_date,
        activity.channel,
        activity.campaign_id,
        models.model,
        activity.spend,
        activity.impressions,
        activity.ad_clicks,
        activity.landing_views,
        activity.sessions,
        activity.new_visitors,
        cast(0 as decimal(13, 12)) as credit,
        cast(0 as decimal(13, 12)) as first_order_credit,
        cast(0 as decimal(18, 4)) as attributed_revenue,
        cast(0 as decimal(18, 4)) as attributed_net_revenue,
        cast(0 as decimal(18, 4)) as affiliate_commission
    from activity
    cross join models
    union all
    -- as advertising is, a commission is a cost of the channel that it is paid in, once per model
    select
        line_costs.order_date as report_date,
        'affiliate' as channel,
        '(none)' as campaign_id,
        models.model,
        cast(0 as decimal(18, 4)) as spend,
        0 as impressions,
        0 as ad_clicks,
        0 as landing_views,
        0 as sessions,
        0 as new_visitors,
        cast(0 as decimal(13, 12)) as credit,
        cast(0 as decimal(13, 12)) as first_order_credit,
        cast(0 as decimal(18, 4)) as attributed_revenue,
        cast(0 as decimal(18, 4)) as attributed_net_revenue,
        line_costs.reporting_amount as affiliate_commission
    from line_costs
    cross join models
    union all
    select
        orders.order_date as report_date,
        attribution.channel,
        attribution.campaign_id,
        attribution.model,
        cast(0 as decimal(18, 4)) as spend,
        0 as impressions,
        0 as ad_clicks,
        0 as landing_views,
        0 as sessions,
        0 as new_visitors,
        attribution.credit,
        case when orders.is_first_order then attribution.credit else 0 end as first_order_credit,
        attribution.attributed_revenue,
        attribution.attributed_net_revenue,
        cast(0 as decimal(18, 4)) as affiliate_commission
    from {{ ref('campaign__attribution') }} as attribution
    inner join orders on attribution.order_id = orders.order_id
),

summed as (
    select
        report_date,
        channel,
        campaign_id,
        model,
        cast(sum(spend) as decimal(18, 4)) as spend,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(ad_clicks) as bigint) as ad_clicks,
        cast(sum(landing_views) as bigint) as landing_views,
        cast(sum(sessions) as bigint) as sessions,
        cast(sum(new_visitors) as bigint) as new_visitors,
        cast(sum(credit) as decimal(24, 12)) as orders,
        cast(sum(first_order_credit) as decimal(24, 12)) as new_customers,
        cast(sum(attributed_revenue) as decimal(18, 4)) as attributed_revenue,
        cast(sum(attributed_net_revenue) as decimal(18, 4)) as attributed_net_revenue,
        cast(sum(affiliate_commission) as decimal(18, 4)) as affiliate_commission
    from movements
    group by report_date, channel, campaign_id, model
),

final as (
    select
        report_date,
        channel,
        campaign_id,
        model,
        spend,
        impressions,
        ad_clicks,
        landing_views,
        sessions,
        new_visitors,
        orders,
        new_customers,
        attributed_revenue,
        attributed_net_revenue,
        cast(
            attributed_net_revenue - spend - affiliate_commission as decimal(18, 4)
        ) as contribution_margin,
        {{ ratio('ad_clicks', 'impressions') }} as ctr,
        {{ unit_cost('spend', 'ad_clicks') }} as cpc,
        {{ unit_cost('spend', 'orders') }} as cpa,
        {{ ratio('attributed_revenue', 'spend') }} as roas,
        {{ unit_cost('spend', 'new_customers') }} as cac,
        affiliate_commission
    from summed
)

select * from final
