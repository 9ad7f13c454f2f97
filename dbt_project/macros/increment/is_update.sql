{% macro is_update() -%}
    {#- Nothing is asked where there is nothing to ask: dbt parses, compiles for Redshift, or tests a
        model on rows of its own. -#}
    {{ return(execute and flags.INTROSPECT and this is not none and is_incremental()) }}
{%- endmacro %}
