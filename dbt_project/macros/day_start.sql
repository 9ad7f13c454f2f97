{% macro day_start(day) -%}
    cast({{ day }} as timestamp) at time zone '{{ var("reporting_time_zone") }}'
{%- endmacro %}
