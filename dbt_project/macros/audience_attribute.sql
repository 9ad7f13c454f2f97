{#- Whoever sends an event may write '(suppressed)' into it, which would take people out of small
    groups. -#}
{% macro audience_attribute(column) -%}
    case
        when {{ column }} in ('', '(suppressed)') then '(unknown)'
        else coalesce({{ column }}, '(unknown)')
    end
{%- endmacro %}
