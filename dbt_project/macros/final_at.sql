{% macro final_at(month) -%}
    {#- What comes a week late has mostly come by then; an event may be a week late (DESIGN 7). -#}
    {{ day_start("(cast(date_trunc('month', " ~ month ~ " + 31) as date) + 7)") }}
{%- endmacro %}
