with campaigns as (select * from {{ ref('base_campaign__campaigns') }}),

final as (
    select
        cast(campaign_id as {{ varchar(256) }}) as campaign_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(name as {{ varchar(1024) }}) as name,
        cast(channel as {{ varchar(256) }}) as channel,
        cast(utm_campaign as {{ varchar(1024) }}) as utm_campaign,
        started_on,
        ended_on,
        cast(budget as decimal(18, 4)) as budget,
        cast(currency as {{ varchar(64) }}) as currency,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from campaigns
)

select * from final
