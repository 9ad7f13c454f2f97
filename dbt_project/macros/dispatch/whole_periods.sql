{% macro whole_periods(start, finish, hours) -%}
    {{ return(adapter.dispatch('whole_periods')(start, finish, hours)) }}
{%- endmacro %}

{% macro default__whole_periods(start, finish, hours) -%}
    date_diff('microsecond', {{ start }}, {{ finish }}) // ({{ hours }} * cast(3600000000 as bigint))
{%- endmacro %}

{% macro redshift__whole_periods(start, finish, hours) -%}
    cast(
        floor(
            cast(datediff(microsecond, {{ start }}, {{ finish }}) as double precision)
            / ({{ hours }} * cast(3600000000 as double precision))
        )
        as bigint
    )
{%- endmacro %}
