{% macro utc_day(instant) -%}
    cast(floor(cast(extract(epoch from {{ instant }}) as double precision) / 86400) as integer)
{%- endmacro %}
