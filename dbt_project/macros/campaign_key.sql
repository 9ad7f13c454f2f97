{% macro campaign_key(campaign_id) -%}
    coalesce(nullif({{ campaign_id }}, ''), '(none)')
{%- endmacro %}
