{% macro is_in_force(rule, day) -%}
    coalesce({{ rule }}.valid_from, date '1900-01-01') <= {{ day }}
    and coalesce({{ rule }}.valid_to, date '9999-12-30') >= {{ day }}
{%- endmacro %}
