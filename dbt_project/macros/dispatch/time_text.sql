{% macro time_text(instant) -%}
    {{ return(adapter.dispatch('time_text')(instant)) }}
{%- endmacro %}

{% macro default__time_text(instant) -%}
    strftime({{ instant }} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')
{%- endmacro %}

{% macro redshift__time_text(instant) -%}
    to_char({{ instant }} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
{%- endmacro %}
