{% macro utc_day(instant) -%}
    cast(floor(extract(epoch from {{ instant }}) / 86400) as integer)
{%- endmacro %}
