{% macro as_of() -%}
    cast('{{ var("as_of") | replace("T", " ") | replace("Z", "+00") }}' as timestamptz)
{%- endmacro %}
