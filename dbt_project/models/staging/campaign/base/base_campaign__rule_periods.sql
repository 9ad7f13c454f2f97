{{ config(materialized='table') }}

{%- set seeds = ['channel_rules', 'click_ids', 'medium_kinds', 'referrer_kinds'] %}

with starts as (
    select date '1900-01-01' as valid_from
    {%- for seed in seeds %}
    union
    select valid_from
    from {{ ref(seed) }}
    where valid_from is not null
    union
    select cast(valid_to + interval '1 days' as date) as valid_from
    from {{ ref(seed) }}
    where valid_to is not null
    {%- endfor %}
),

final as (
    select
        valid_from,
        coalesce(lead(valid_from) over (order by valid_from), date '9999-12-31') as valid_before
    from starts
)

select * from final
