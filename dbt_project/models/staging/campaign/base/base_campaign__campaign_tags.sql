with campaigns as (select * from {{ ref('stg_campaign__campaigns') }}),

tags as (
    select
        utm_campaign,
        campaign_id,
        coalesce(started_on, date '1900-01-01') as started_on
    from campaigns
    where utm_campaign is not null
),

-- a tag that was used again belongs to the campaign that started last by then
final as (
    select
        utm_campaign,
        campaign_id,
        case
            when
                row_number() over (partition by utm_campaign order by started_on, campaign_id) = 1
                then date '1900-01-01'
            else started_on
        end as valid_from,
        coalesce(
            lead(started_on) over (partition by utm_campaign order by started_on, campaign_id),
            date '9999-12-31'
        ) as valid_before
    from tags
)

select * from final
