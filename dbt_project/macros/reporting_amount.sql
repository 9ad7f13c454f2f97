{% macro reporting_amount(amount) -%}
    cast(round(cast({{ amount }} as decimal(38, 12)), 4) as decimal(18, 4))
{%- endmacro %}
