with campaigns as (select * from {{ ref('base_campaign__campaigns') }}),

final as (
    select
        cast(campaigns.campaign_id as {{ varchar(256) }}) as campaign_id,
        cast(campaigns._cell as {{ varchar(64) }}) as cell,
        cast(campaigns.name as {{ varchar(1024) }}) as name,
        cast({{ channel_text('campaigns.channel') }} as {{ varchar(256) }}) as channel,
        cast({{ utm_text('campaigns.utm_campaign') }} as {{ varchar(1024) }}) as utm_campaign,
        campaigns.started_on,
        campaigns.ended_on,
        cast(campaigns.budget as decimal(18, 4)) as budget,
        cast(campaigns.currency as {{ varchar(64) }}) as currency,
        cast(campaigns._load_id as {{ varchar(64) }}) as _load_id
    from campaigns
)

select * from final
