with performance as (
    select * from {{ ref('campaign__performance_daily') }}
    where model = 'last_touch'
),

-- the last touch takes an order whole, so orders and new customers are counts
final as (
    select
        report_date,
        channel,
        campaign_id,
        spend,
        impressions,
        ad_clicks,
        landing_views,
        sessions,
        new_visitors,
        cast(orders as bigint) as orders,
        cast(new_customers as bigint) as new_customers,
        attributed_revenue,
        attributed_net_revenue,
        contribution_margin,
        ctr,
        cpc,
        cpa,
        roas,
        cac,
        affiliate_commission
    from performance
)

select * from final
