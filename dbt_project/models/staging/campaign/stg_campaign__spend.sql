with spend as (select * from {{ ref('base_campaign__spend') }}),

final as (
    select
        spend_date,
        cast(campaign_id as {{ varchar(256) }}) as campaign_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(amount as decimal(18, 4)) as amount,
        cast(currency as {{ varchar(64) }}) as currency,
        cast(impressions as bigint) as impressions,
        cast(clicks as bigint) as clicks,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from spend
    where {{ is_due() }}
)

select * from final
