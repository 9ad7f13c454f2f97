{% macro reporting_date(instant) -%}
    cast({{ instant }} at time zone '{{ var("reporting_time_zone") }}' as date)
{%- endmacro %}
