with built as (select * from {{ ref('campaign__final_figures') }}),

published as (select * from {{ ref('int_campaign__published_figures') }}),

restated as (select * from {{ ref('int_campaign__restated_periods') }}),

-- a month that is not final for this as_of, or has no order left, says nothing
months as (
    select distinct
        published.period,
        published.model
    from published
    inner join built on published.period = built.period and published.model = built.model
),

newest as (
    select published.*
    from published
    inner join months on published.period = months.period and published.model = months.model
    qualify row_number() over (
            partition by
                published.period,
                published.model,
                published.channel,
                published.campaign_id
            order by published.revision desc
        ) = 1
),

compared as (
    select
        coalesce(built.period, newest.period) as period,
        coalesce(built.model, newest.model) as model,
        coalesce(built.channel, newest.channel) as channel,
        coalesce(built.campaign_id, newest.campaign_id) as campaign_id,
        coalesce(newest.revision, 0) + 1 as revision,
        coalesce(newest.new_orders, 0) as old_orders,
        coalesce(newest.new_revenue, 0) as old_revenue,
        coalesce(newest.new_net_revenue, 0) as old_net_revenue,
        coalesce(built.orders, 0) as new_orders,
        coalesce(built.revenue, 0) as new_revenue,
        coalesce(built.net_revenue, 0) as new_net_revenue
    from built
    full outer join newest
        on
            built.period = newest.period
            and built.model = newest.model
            and built.channel = newest.channel
            and built.campaign_id = newest.campaign_id
),

moved as (
    select
        compared.period,
        compared.model,
        compared.channel,
        compared.campaign_id,
        compared.revision,
        {{ as_of() }} as restated_at,
        coalesce(restated.reason, 'late data') as reason,
        compared.old_orders,
        compared.old_revenue,
        compared.old_net_revenue,
        compared.new_orders,
        compared.new_revenue,
        compared.new_net_revenue
    from compared
    inner join months on compared.period = months.period and compared.model = months.model
    left join restated on compared.period = restated.period
    where
        compared.old_orders <> compared.new_orders
        or compared.old_revenue <> compared.new_revenue
        or compared.old_net_revenue <> compared.new_net_revenue
),

final as (
    select * from published
    where revision > 0
    union all
    select
        period,
        cast(model as {{ varchar(64) }}) as model,
        cast(channel as {{ varchar(256) }}) as channel,
        cast(campaign_id as {{ varchar(256) }}) as campaign_id,
        cast(revision as bigint) as revision,
        restated_at,
        cast(reason as {{ varchar(1024) }}) as reason,
        cast(old_orders as decimal(24, 12)) as old_orders,
        cast(old_revenue as decimal(18, 4)) as old_revenue,
        cast(old_net_revenue as decimal(18, 4)) as old_net_revenue,
        cast(new_orders as decimal(24, 12)) as new_orders,
        cast(new_revenue as decimal(18, 4)) as new_revenue,
        cast(new_net_revenue as decimal(18, 4)) as new_net_revenue
    from moved
)

select * from final
