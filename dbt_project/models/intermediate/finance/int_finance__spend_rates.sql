with spend as (select * from {{ ref('stg_campaign__spend') }}),

rates as (select * from {{ ref('int_finance__rates') }}),

final as (
    select
        spend.spend_date,
        spend.campaign_id,
        spend.currency,
        {{ reporting_rate('spend.currency', 'rates.rate') }} as rate
    from spend
    left join
        rates
        on spend.currency = rates.currency and spend.spend_date = rates.rate_date
)

select * from final
