{% macro recent_weight(happened_at) -%}
    {#- To 12 places, so that the sum is the same in whatever order it is taken. -#}
    cast(
        power(
            cast(0.5 as double precision),
            cast({{ whole_periods(happened_at, as_of(), 24) }} as double precision)
            / {{ var('pair_half_life_days') }}
        )
        as decimal(38, 12)
    )
{%- endmacro %}
