with performance as (select * from {{ ref('campaign__performance_daily') }}),

periods as (
    select * from {{ ref('int_campaign__periods') }}
    where is_final
),

final as (
    select
        periods.period,
        performance.model,
        performance.channel,
        performance.campaign_id,
        cast(sum(performance.orders) as decimal(24, 12)) as orders,
        cast(sum(performance.attributed_revenue) as decimal(18, 4)) as revenue,
        cast(sum(performance.attributed_net_revenue) as decimal(18, 4)) as net_revenue
    from performance
    inner join periods
        on
            performance.report_date >= periods.period
            and performance.report_date < periods.fit_before
    group by
        periods.period,
        performance.model,
        performance.channel,
        performance.campaign_id
    having sum(performance.orders) > 0
)

select * from final
