with figures as (select * from {{ source('solved', 'campaign_figures') }}),

final as (
    select
        period,
        cast(model as {{ varchar(64) }}) as model,
        cast(channel as {{ varchar(256) }}) as channel,
        cast(campaign_id as {{ varchar(256) }}) as campaign_id,
        revision,
        restated_at,
        cast(reason as {{ varchar(1024) }}) as reason,
        cast(old_orders as decimal(24, 12)) as old_orders,
        cast(old_revenue as decimal(18, 4)) as old_revenue,
        cast(old_net_revenue as decimal(18, 4)) as old_net_revenue,
        cast(new_orders as decimal(24, 12)) as new_orders,
        cast(new_revenue as decimal(18, 4)) as new_revenue,
        cast(new_net_revenue as decimal(18, 4)) as new_net_revenue
    from figures
)

select * from final
