{% macro channel_text(channel) -%}
    nullif(replace(replace(lower(trim({{ channel }})), ' ', '_'), '-', '_'), '')
{%- endmacro %}
