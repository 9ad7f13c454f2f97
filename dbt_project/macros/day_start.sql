{% macro day_start(day) -%}
    {#- No instant stands for days beyond what an engine's times reach. -#}
    case
        when {{ day }} between date '0001-01-01' and date '9999-12-31'
            then cast({{ day }} as timestamp) at time zone '{{ var("reporting_time_zone") }}'
    end
{%- endmacro %}
