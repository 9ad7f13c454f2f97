{% macro rows_print(row_hash) -%}
    cast(sum(cast({{ row_hash }} as decimal(38, 0))) as decimal(38, 0))
{%- endmacro %}
