{% macro as_of_date() -%}
    {#- A model that asks for no more than the day is built again once a day, not at every as_of. -#}
    {{ reporting_date(as_of()) }}
{%- endmacro %}
