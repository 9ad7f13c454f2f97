{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__order_versions'), 'order_number', 'order_number') }}",
        "{{ forget_changed(ref('int_campaign__order_versions'), 'order_number', 'order_number', 'order_number') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__order_versions'), 'order_number', 'order_number') }}"],
) }}
{%- set models = ['linear', 'position_based', 'time_decay', 'markov', 'shapley'] -%}

with touches as (
    select * from {{ ref('int_campaign__touch_weights') }}
    where
        {{ is_changed(
            'int_campaign__order_versions', 'order_number', 'order_number', 'order_number'
        ) }}
),

summed as (
    select
        {%- for model in models %}
        {{ model }}_weight,
        sum({{ model }}_weight) over (partition by order_number) as {{ model }}_sum,
        {%- endfor %}
        order_number,
        touch_number,
        touch_count
    from touches
),

-- a path whose weights are all 0 is shared evenly
weighed as (
    select
        {%- for model in models %}
        case when {{ model }}_sum = 0 then 1 else {{ model }}_weight end as {{ model }}_weight,
        cast(case when {{ model }}_sum = 0 then touch_count else {{ model }}_sum end as bigint)
            as {{ model }}_sum,
        {%- endfor %}
        order_number,
        touch_number
    from summed
),

-- In units of a million millionth. A double is off by less than a thousandth of a unit, so that at
-- a whole number it may be the one below or above: the remainder, which is exact, is then nearly
-- all or less than nothing, and the largest remainders still make the same of it.
divided as (
    select
        *,
        {%- for model in models %}
        cast(
            floor(
                cast({{ model }}_weight as double precision) * 1000000000000
                / cast({{ model }}_sum as double precision)
            ) as bigint
        ) as {{ model }}_quotient,
        {%- endfor %}
        1000000000000 as units
    from weighed
),

remaining as (
    select
        *,
        {%- for model in models %}
        cast(
            cast({{ model }}_weight as decimal(38, 0)) * units
            - cast({{ model }}_quotient as decimal(38, 0)) * {{ model }}_sum as bigint
        ) as {{ model }}_remainder,
        {%- endfor %}
        cast(0.000000000001 as decimal(13, 12)) as unit
    from divided
),

shared as (
    select
        {%- for model in models %}
        {{ largest_remainder(
            'units', model ~ '_quotient', model ~ '_remainder', 'order_number', 'touch_number'
        ) }} as {{ model }}_units,
        {%- endfor %}
        order_number,
        touch_number,
        unit
    from remaining
),

final as (
    select
        {%- for model in models %}
        cast(cast({{ model }}_units as decimal(19, 0)) * unit as decimal(13, 12))
            as {{ model }}_credit,
        {%- endfor %}
        order_number,
        touch_number
    from shared
)

select * from final
