{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash')(columns)) }}
{%- endmacro %}

{#- Compared within a build database only: another version of DuckDB may hash otherwise, and then
    everything has changed. -#}
{% macro default__row_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{% macro redshift__row_hash(columns) -%}
    {%- set hashed = namespace(text='fnv_hash(' ~ columns[0] ~ ')') -%}
    {%- for column in columns[1:] -%}
        {%- set hashed.text = 'fnv_hash(' ~ column ~ ', ' ~ hashed.text ~ ')' -%}
    {%- endfor -%}
    {{ hashed.text }}
{%- endmacro %}
