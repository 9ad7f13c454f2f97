{% macro optional_column(relation, column) -%}
    {#- Nothing is asked where there is no database to ask: dbt parses, or compiles for Redshift. -#}
    {%- set known = adapter.get_columns_in_relation(relation) if execute and flags.INTROSPECT else [] -%}
    {%- if column not in known | map(attribute='name') | list %},
    cast(null as {{ varchar(2048) }}) as {{ column }}
    {%- endif -%}
{%- endmacro %}
