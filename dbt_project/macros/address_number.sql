{% macro address_number(address) -%}
    cast(split_part({{ address }}, '.', 1) as bigint) * 16777216
    + cast(split_part({{ address }}, '.', 2) as bigint) * 65536
    + cast(split_part({{ address }}, '.', 3) as bigint) * 256
    + cast(split_part({{ address }}, '.', 4) as bigint)
{%- endmacro %}
