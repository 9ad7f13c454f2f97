{#- Written nowhere: two models read it, and it is small. -#}
{{ config(materialized='view') }}

with spend as (select * from {{ ref('stg_campaign__spend') }}),

spend_rates as (select * from {{ ref('int_finance__spend_rates') }}),

campaigns as (select * from {{ ref('stg_campaign__campaigns') }}),

final as (
    select
        spend.spend_date as report_date,
        {{ channel_name('campaigns.channel', 'spend.campaign_id') }} as channel,
        {{ campaign_key('spend.campaign_id') }} as campaign_id,
        {{ reporting_amount('spend.amount', 'spend_rates.rate') }} as spend
    from spend
    inner join
        spend_rates
        on
            spend.spend_date = spend_rates.spend_date
            and spend.campaign_id = spend_rates.campaign_id
    left join campaigns on spend.campaign_id = campaigns.campaign_id
    where spend_rates.rate is not null
)

select * from final
