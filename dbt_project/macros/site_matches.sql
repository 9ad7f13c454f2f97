{% macro site_matches(site, name) -%}
    {#- Whole labels: `bing` is in `cn.bing.com`, and not in `bingo.com`. -#}
    '.' || replace(replace({{ site }}, ' ', '.'), '_', '.') || '.' like '%.' || {{ name }} || '.%'
{%- endmacro %}
