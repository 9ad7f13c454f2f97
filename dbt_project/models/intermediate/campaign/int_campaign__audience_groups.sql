{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__audience_prints'), 'month_start') }}",
        "{{ forget_changed(ref('int_campaign__audience_prints'), 'month_start', 'month_start') }}",
    ],
    post_hook=[
        "{{ drop_prints() }}",
        "{{ keep_prints(ref('int_campaign__audience_prints'), 'month_start') }}",
    ],
) }}
{#- What is shown of a small group, step by step: first its country goes, which names a person
    soonest, last its device, which names nobody. -#}
{%- set attributes = ['age_band', 'gender', 'country', 'device'] -%}
{%- set levels = [
    attributes,
    ['age_band', 'gender', 'device'],
    ['gender', 'device'],
    ['device'],
    [],
] -%}
{%- set minimum = var('minimum_group_size') | int -%}
{%- set last = levels | length -%}
{%- set whole = ['month_start', 'campaign_id'] -%}

with people_1 as (
    select distinct
        {{ (whole + attributes) | join(',\n        ') }},
        person
    from {{ ref('int_campaign__audience') }}
    where {{ is_changed('int_campaign__audience_prints', 'month_start', 'month_start') }}
),

{% for shown in levels[:-1] %}
{%- set keys = whole + shown -%}
sizes_{{ loop.index }} as (
    select
        {{ keys | join(',\n        ') }},
        count(distinct person) as people
    from people_{{ loop.index }}
    group by {{ keys | join(', ') }}
),

-- too few: they go on to the next, coarser group
people_{{ loop.index + 1 }} as (
    select people.*
    from people_{{ loop.index }} as people
    inner join
        sizes_{{ loop.index }} as sizes
        on
            people.month_start = sizes.month_start
            and people.campaign_id = sizes.campaign_id
            {%- for column in shown %}
            and people.{{ column }} = sizes.{{ column }}
            {%- endfor %}
    where sizes.people < {{ minimum }}
),

{% endfor -%}
left_over as (
    select
        month_start,
        campaign_id,
        count(distinct person) as people
    from people_{{ last }}
    group by month_start, campaign_id
),

shown_groups as (
    {%- for shown in levels[:-1] %}
    select
        {{ loop.index }} as rule_number,
        month_start,
        campaign_id,
        {%- for attribute in attributes %}
        {{ attribute if attribute in shown else "'(suppressed)'" }} as {{ attribute }},
        {%- endfor %}
        people
    from sizes_{{ loop.index }}
    where people >= {{ minimum }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- What is left over is the difference between the total and all that is shown. Where it is of too
-- few people, the smallest group joins it.
folded as (
    select
        shown_groups.*,
        row_number() over (
            partition by shown_groups.month_start, shown_groups.campaign_id
            order by
                shown_groups.people asc,
                shown_groups.rule_number desc,
                shown_groups.age_band asc,
                shown_groups.gender asc,
                shown_groups.country asc,
                shown_groups.device asc
        ) = 1
        and coalesce(left_over.people, 0) between 1 and {{ minimum - 1 }} as is_folded
    from shown_groups
    left join
        left_over
        on
            shown_groups.month_start = left_over.month_start
            and shown_groups.campaign_id = left_over.campaign_id
),

leaves as (
    select distinct
        {{ (whole + attributes) | join(',\n        ') }}
    from people_1
),

-- a leaf belongs to the finest group that is shown
final as (
    select
        {%- for column in whole + attributes %}
        leaves.{{ column }},
        {%- endfor %}
        coalesce(
            case when not folded.is_folded then folded.age_band end, '(suppressed)'
        ) as shown_age_band,
        coalesce(
            case when not folded.is_folded then folded.gender end, '(suppressed)'
        ) as shown_gender,
        coalesce(
            case when not folded.is_folded then folded.country end, '(suppressed)'
        ) as shown_country,
        coalesce(
            case when not folded.is_folded then folded.device end, '(suppressed)'
        ) as shown_device
    from leaves
    left join
        folded
        on
            leaves.month_start = folded.month_start
            and leaves.campaign_id = folded.campaign_id
            {%- for attribute in attributes %}
            and folded.{{ attribute }} in (leaves.{{ attribute }}, '(suppressed)')
            {%- endfor %}
    qualify
        row_number() over (
            partition by
                leaves.{{ (whole + attributes) | join(',\n                leaves.') }}
            order by folded.rule_number
        ) = 1
)

select * from final
