{% macro parsed_time(text) -%}
    {{ return(adapter.dispatch('parsed_time')(text)) }}
{%- endmacro %}

{#- Infinities, and years that no calendar of events holds, are no times. -#}
{% macro default__parsed_time(text) -%}
    case
        when
            try_cast({{ text }} as timestamptz)
            between timestamptz '1900-01-01 00:00:00+00' and timestamptz '9999-12-31 00:00:00+00'
            then try_cast({{ text }} as timestamptz)
    end
{%- endmacro %}

{#- Redshift has no try_cast: only text of the agreed form reaches the cast. -#}
{% macro redshift__parsed_time(text) -%}
    case
        when {{ text }} ~ '^(19|[2-9][0-9])[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]+)?Z$'
            then cast(replace(replace({{ text }}, 'T', ' '), 'Z', '+00') as timestamptz)
    end
{%- endmacro %}
