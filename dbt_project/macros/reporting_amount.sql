{% macro reporting_amount(amount, rate) -%}
    {#- 19 digits times 18 is the most that Redshift multiplies without dropping places, and the
        least for which DuckDB leaves 64-bit arithmetic, which overflows at 9 million. -#}
    cast(
        round(cast(cast({{ amount }} as decimal(19, 4)) * {{ rate }} as decimal(38, 12)), 4)
        as decimal(18, 4)
    )
{%- endmacro %}
