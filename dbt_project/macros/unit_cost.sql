{% macro unit_cost(amount, quantity) -%}
    {#- An amount again, so a decimal; wide, since a billionth of an order may bear all of it. -#}
    cast(round({{ ratio(amount, quantity) }}, 4) as decimal(38, 4))
{%- endmacro %}
