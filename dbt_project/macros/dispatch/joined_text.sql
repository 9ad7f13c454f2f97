{% macro joined_text(text, separator, position) -%}
    {{ return(adapter.dispatch('joined_text')(text, separator, position)) }}
{%- endmacro %}

{% macro default__joined_text(text, separator, position) -%}
    string_agg({{ text }}, '{{ separator }}' order by {{ position }})
{%- endmacro %}

{#- The result may have 65,535 bytes: a path of some thousand touches. -#}
{% macro redshift__joined_text(text, separator, position) -%}
    listagg({{ text }}, '{{ separator }}') within group (order by {{ position }})
{%- endmacro %}
