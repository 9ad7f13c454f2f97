{% macro parameter_names(url) -%}
    {{ return(adapter.dispatch('parameter_names')(url)) }}
{%- endmacro %}

{% macro default__parameter_names(url) -%}
    case
        when contains({{ url }}, '?')
            then regexp_replace(lower(split_part(split_part({{ url }}, '?', 2), '#', 1)), '=[^&]*', '', 'g')
        else ''
    end
{%- endmacro %}

{% macro redshift__parameter_names(url) -%}
    case
        when {{ url }} like '%?%'
            then regexp_replace(lower(split_part(split_part({{ url }}, '?', 2), '#', 1)), '=[^&]*', '')
        else ''
    end
{%- endmacro %}
