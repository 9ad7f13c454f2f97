with shown as (
    select
        finest.month_start,
        finest.campaign_id,
        finest.shown_age_band,
        finest.shown_gender,
        finest.shown_country,
        finest.shown_device,
        count(distinct audience.person) as people
    from {{ ref('int_campaign__audience') }} as audience
    inner join
        {{ ref('int_campaign__audience_groups') }} as finest
        on
            audience.month_start = finest.month_start
            and audience.campaign_id = finest.campaign_id
            and audience.age_band = finest.age_band
            and audience.gender = finest.gender
            and audience.country = finest.country
            and audience.device = finest.device
    group by
        finest.month_start,
        finest.campaign_id,
        finest.shown_age_band,
        finest.shown_gender,
        finest.shown_country,
        finest.shown_device
),

-- a rest of few people is told by nothing where nothing else is shown
counted as (
    select
        *,
        count(*) over (partition by month_start, campaign_id) as shown_groups
    from shown
)

select * from counted
where
    people < {{ var('minimum_group_size') }}
    and (
        shown_age_band <> '(suppressed)'
        or shown_gender <> '(suppressed)'
        or shown_country <> '(suppressed)'
        or shown_device <> '(suppressed)'
        or (shown_groups > 1 and people > 0)
    )
