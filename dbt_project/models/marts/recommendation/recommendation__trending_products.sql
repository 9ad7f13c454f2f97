{%- set half_life = var('trending_half_life_days') | int -%}
{#- After five half-lives 3 % of a day's weight are left. -#}
{%- set recent_days = half_life * 5 -%}
{%- set usual_days = 7 * (var('trend_baseline_weeks') | int) -%}
{%- set recent = 'age_days < ' ~ recent_days -%}
{#- What the factors of the recent days add up to: a steady product keeps its usual rate. -#}
{%- set factors = namespace(total=0) -%}
{%- for age in range(recent_days) -%}
    {%- set factors.total = factors.total + 0.5 ** (age / half_life) -%}
{%- endfor -%}

with interactions as (select * from {{ ref('recommendation__interactions') }}),

products as (select * from {{ ref('int_recommendation__products') }}),

aged as (
    select
        product_id,
        actor_key,
        weight,
        {{ as_of_date() }} - {{ reporting_date('occurred_at') }} as age_days
    from interactions
    where
        {{ reporting_date('occurred_at') }} > {{ as_of_date() }} - {{ recent_days + usual_days }}
),

summed as (
    select
        product_id,
        count(distinct case when {{ recent }} then actor_key end) as people_count,
        count(case when {{ recent }} then 1 end) as interaction_count,
        sum(
            case
                when {{ recent }}
                    then
                        weight * cast(
                            round(
                                power(
                                    cast(0.5 as double precision),
                                    cast(age_days as double precision) / {{ half_life }}
                                ),
                                12
                            ) as decimal(13, 12)
                        )
                else cast(0 as decimal(13, 12))
            end
        ) as decayed_weight,
        sum(case when {{ recent }} then cast(0 as decimal(9, 4)) else weight end) as usual_weight
    from aged
    group by product_id
),

rated as (
    select
        product_id,
        people_count,
        interaction_count,
        cast(decayed_weight as double precision) / {{ factors.total | round(9) }} as recent_rate,
        cast(usual_weight as double precision) / {{ usual_days }} as usual_rate
    from summed
    where people_count >= {{ var('trending_minimum_people') }}
),

-- the spread of a count is its square root; 1 more keeps what is new from an endless score
scored as (
    select
        *,
        (recent_rate - usual_rate) / sqrt(usual_rate + 1) as score
    from rated
    where recent_rate > usual_rate
),

ranked as (
    select
        *,
        row_number() over (order by score desc, product_id asc) as rank
    from scored
),

final as (
    select
        {{ as_of_date() }} as as_of_date,
        ranked.rank,
        ranked.product_id,
        cast(ranked.recent_rate as decimal(18, 4)) as recent_rate,
        cast(ranked.usual_rate as decimal(18, 4)) as usual_rate,
        ranked.score,
        ranked.interaction_count,
        ranked.people_count,
        coalesce(products.is_recommendable, false) as is_recommendable,
        cast(products.exclusion as {{ varchar(64) }}) as exclusion
    from ranked
    left join products on ranked.product_id = products.product_id
    where ranked.rank <= {{ var('trending_size') }}
)

select * from final
