{% macro as_of() -%}
    {#- Not asked for while dbt parses: it would parse every model anew for each run's as_of. -#}
    {%- set given = env_var('WAREHOUSE_AS_OF', '') if execute else '' -%}
    cast('{{ (given or var("as_of")) | replace("T", " ") | replace("Z", "+00") }}' as timestamptz)
{%- endmacro %}
