-- by day and in total: each model holds all activity and every counted order once
with by_model as (
    select
        report_date,
        model,
        sum(spend) as spend,
        sum(impressions + ad_clicks + landing_views + sessions + new_visitors) as events,
        sum(orders) as orders,
        sum(new_customers) as new_customers,
        sum(attributed_revenue) as revenue,
        sum(attributed_net_revenue) as net_revenue,
        sum(affiliate_commission) as affiliate_commission,
        sum(contribution_margin) as contribution_margin
    from {{ ref('campaign__performance_daily') }}
    group by report_date, model
    union all
    select
        report_date,
        'what BI pages use' as model,
        sum(spend) as spend,
        sum(impressions + ad_clicks + landing_views + sessions + new_visitors) as events,
        sum(orders) as orders,
        sum(new_customers) as new_customers,
        sum(attributed_revenue) as revenue,
        sum(attributed_net_revenue) as net_revenue,
        sum(affiliate_commission) as affiliate_commission,
        sum(contribution_margin) as contribution_margin
    from {{ ref('campaign__performance_daily_last_touch') }}
    group by report_date
),

wanted as (
    select
        report_date,
        sum(spend) as spend,
        sum(events) as events,
        sum(orders) as orders,
        sum(new_customers) as new_customers,
        sum(revenue) as revenue,
        sum(net_revenue) as net_revenue,
        sum(affiliate_commission) as affiliate_commission
    from (
        select
            report_date,
            spend,
            impressions + ad_clicks + landing_views + sessions + new_visitors as events,
            0 as orders,
            0 as new_customers,
            cast(0 as decimal(18, 4)) as revenue,
            cast(0 as decimal(18, 4)) as net_revenue,
            cast(0 as decimal(18, 4)) as affiliate_commission
        from {{ ref('campaign__activity_daily') }}
        union all
        select
            order_date as report_date,
            cast(0 as decimal(18, 4)) as spend,
            0 as events,
            1 as orders,
            case when is_first_order then 1 else 0 end as new_customers,
            gross_revenue as revenue,
            net_revenue,
            cast(0 as decimal(18, 4)) as affiliate_commission
        from {{ ref('core__orders') }}
        where is_counted
        union all
        select
            order_date as report_date,
            cast(0 as decimal(18, 4)) as spend,
            0 as events,
            0 as orders,
            0 as new_customers,
            cast(0 as decimal(18, 4)) as revenue,
            cast(0 as decimal(18, 4)) as net_revenue,
            reporting_amount as affiliate_commission
        from {{ ref('int_affiliate__line_costs') }}
    ) as movements
    group by report_date
),

models as (
    select distinct model from by_model
),

wanted_by_model as (
    select
        wanted.*,
        models.model
    from wanted
    cross join models
)

select
    coalesce(wanted.report_date, found.report_date) as report_date,
    coalesce(wanted.model, found.model) as model,
    found.spend,
    wanted.spend as activity_spend,
    found.orders,
    wanted.orders as counted_orders,
    found.revenue,
    wanted.revenue as order_revenue
from wanted_by_model as wanted
full outer join
    by_model as found
    on wanted.report_date = found.report_date and wanted.model = found.model
where
    wanted.model is null
    or found.model is null
    or wanted.spend <> found.spend
    or wanted.events <> found.events
    or wanted.orders <> found.orders
    or wanted.new_customers <> found.new_customers
    or wanted.revenue <> found.revenue
    or wanted.net_revenue <> found.net_revenue
    or wanted.affiliate_commission <> found.affiliate_commission
    or wanted.net_revenue - wanted.spend - wanted.affiliate_commission <> found.contribution_margin
