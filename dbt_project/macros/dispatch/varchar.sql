{% macro varchar(length) -%}
    {{ return(adapter.dispatch('varchar')(length)) }}
{%- endmacro %}

{% macro default__varchar(length) -%}
    varchar
{%- endmacro %}

{#- Redshift counts bytes, and a character takes up to four of them. -#}
{% macro redshift__varchar(length) -%}
    varchar({{ [length * 4, 65535] | min }})
{%- endmacro %}
