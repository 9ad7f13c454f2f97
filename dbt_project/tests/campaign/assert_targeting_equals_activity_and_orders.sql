-- what is told by step, by page or by group of people sums to what was done, day by day
with activity as (
    select
        report_date,
        sum(impressions) as impressions,
        sum(ad_clicks) as ad_clicks,
        sum(landing_views) as landing_views,
        sum(sessions) as sessions,
        sum(new_visitors) as new_visitors
    from {{ ref('campaign__activity_daily') }}
    group by report_date
),

orders as (
    select
        order_date as report_date,
        count(*) as orders,
        sum(net_revenue) as net_revenue
    from {{ ref('core__orders') }}
    where is_counted
    group by order_date
),

funnel as (
    select
        report_date,
        sum(case when step = 'impression' then step_count else 0 end) as impressions,
        sum(case when step = 'landing' then step_count else 0 end) as sessions,
        sum(case when step = 'landing' then step_count - returning_count else 0 end)
            as new_visitors
    from {{ ref('campaign__funnel_daily') }}
    group by report_date
),

pages as (
    select
        report_date,
        sum(sessions) as sessions,
        sum(new_visitors) as new_visitors
    from {{ ref('campaign__landing_pages_daily') }}
    group by report_date
),

audience as (
    select
        report_date,
        sum(impressions) as impressions,
        sum(ad_clicks) as ad_clicks,
        sum(landing_views) as landing_views,
        sum(orders) as orders,
        sum(attributed_net_revenue) as net_revenue
    from {{ ref('campaign__audience_daily') }}
    group by report_date
),

days as (
    select report_date from activity
    union
    select report_date from orders
    union
    select report_date from audience
    union
    select report_date from funnel
    union
    select report_date from pages
)

select
    days.report_date,
    activity.sessions,
    funnel.sessions as funnel_sessions,
    pages.sessions as page_sessions,
    activity.impressions,
    audience.impressions as audience_impressions,
    orders.orders,
    audience.orders as audience_orders
from days
left join activity on days.report_date = activity.report_date
left join orders on days.report_date = orders.report_date
left join funnel on days.report_date = funnel.report_date
left join pages on days.report_date = pages.report_date
left join audience on days.report_date = audience.report_date
where
    coalesce(activity.impressions, 0) <> coalesce(funnel.impressions, 0)
    or coalesce(activity.sessions, 0) <> coalesce(funnel.sessions, 0)
    or coalesce(activity.new_visitors, 0) <> coalesce(funnel.new_visitors, 0)
    or coalesce(activity.sessions, 0) <> coalesce(pages.sessions, 0)
    or coalesce(activity.new_visitors, 0) <> coalesce(pages.new_visitors, 0)
    or coalesce(activity.impressions, 0) <> coalesce(audience.impressions, 0)
    or coalesce(activity.ad_clicks, 0) <> coalesce(audience.ad_clicks, 0)
    or coalesce(activity.landing_views, 0) <> coalesce(audience.landing_views, 0)
    or coalesce(orders.orders, 0) <> coalesce(audience.orders, 0)
    or coalesce(orders.net_revenue, 0) <> coalesce(audience.net_revenue, 0)
