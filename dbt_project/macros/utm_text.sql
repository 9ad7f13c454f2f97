{% macro utm_text(text) -%}
    nullif(lower(trim({{ url_decoded(text) }})), '')
{%- endmacro %}
