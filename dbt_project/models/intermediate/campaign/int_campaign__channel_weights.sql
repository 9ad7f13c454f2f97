with weights as (select * from {{ source('solved', 'channel_weights') }}),

final as (
    select
        period,
        cast(model as {{ varchar(64) }}) as model,
        cast(channel as {{ varchar(256) }}) as channel,
        cast(effect as decimal(38, 12)) as effect,
        cast(share as decimal(13, 12)) as share,
        cast(share_low as decimal(13, 12)) as share_low,
        cast(share_high as decimal(13, 12)) as share_high,
        is_final,
        cast(settings_id as {{ varchar(64) }}) as settings_id
    from weights
)

select * from final
