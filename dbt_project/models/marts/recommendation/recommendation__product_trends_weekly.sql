{%- set this_week = "cast(date_trunc('week', " ~ as_of_date() ~ ") as date)" -%}

with interactions as (select * from {{ ref('recommendation__interactions') }}),

weekly as (
    select
        cast(date_trunc('week', {{ reporting_date('occurred_at') }}) as date) as week_start,
        product_id,
        count(*) as interaction_count,
        count(case when kind = 'purchase' then 1 end) as purchase_count
    from interactions
    group by
        cast(date_trunc('week', {{ reporting_date('occurred_at') }}) as date),
        product_id
),

-- what has no week before it is not compared
first_weeks as (
    select min(week_start) as first_week from weekly
),

both_weeks as (
    select
        week_start,
        product_id,
        interaction_count,
        purchase_count,
        0 as previous_interaction_count,
        0 as previous_purchase_count
    from weekly
    union all
    select
        week_start + 7 as week_start,
        product_id,
        0 as interaction_count,
        0 as purchase_count,
        interaction_count as previous_interaction_count,
        purchase_count as previous_purchase_count
    from weekly
),

compared as (
    select
        week_start,
        product_id,
        cast(sum(interaction_count) as bigint) as interaction_count,
        cast(sum(previous_interaction_count) as bigint) as previous_interaction_count,
        cast(sum(purchase_count) as bigint) as purchase_count,
        cast(sum(previous_purchase_count) as bigint) as previous_purchase_count
    from both_weeks
    where week_start < {{ this_week }}
    group by week_start, product_id
),

-- the difference of two counts has the spread of the square root of their sum
scored as (
    select
        compared.*,
        (compared.interaction_count - compared.previous_interaction_count) / sqrt(
            cast(
                compared.interaction_count + compared.previous_interaction_count
                as double precision
            )
        ) as score
    from compared
    cross join first_weeks
    where compared.week_start > first_weeks.first_week
),

final as (
    select
        week_start,
        product_id,
        cast(
            case when score > 0 then 'rising' else 'falling' end as {{ varchar(64) }}
        ) as direction,
        row_number() over (
            partition by week_start, case when score > 0 then 1 else 0 end
            order by abs(score) desc, product_id asc
        ) as rank,
        interaction_count,
        previous_interaction_count,
        purchase_count,
        previous_purchase_count,
        {{ ratio(
            'interaction_count - previous_interaction_count', 'previous_interaction_count'
        ) }} as change_rate,
        score
    from scored
    where abs(score) >= {{ var('product_trend_spreads') }}
)

select * from final
