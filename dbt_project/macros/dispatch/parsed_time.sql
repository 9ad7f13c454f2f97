{% macro parsed_time(text) -%}
    {{ return(adapter.dispatch('parsed_time')(text)) }}
{%- endmacro %}

{% macro default__parsed_time(text) -%}
    try_cast({{ text }} as timestamptz)
{%- endmacro %}

{#- Redshift has no try_cast: only text of the agreed form reaches the cast. -#}
{% macro redshift__parsed_time(text) -%}
    case
        when {{ text }} ~ '^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]+)?Z$'
            then cast(replace(replace({{ text }}, 'T', ' '), 'Z', '+00') as timestamptz)
    end
{%- endmacro %}
