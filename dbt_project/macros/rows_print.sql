{% macro rows_print(row_hash) -%}
    cast(sum({{ row_hash }}) as decimal(38, 0))
{%- endmacro %}
