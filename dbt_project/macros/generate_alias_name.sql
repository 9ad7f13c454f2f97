{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {#- Marts drop their domain: core__orders becomes core.orders. -#}
    {%- if custom_alias_name -%}
        {{ custom_alias_name | trim }}
    {%- elif node.resource_type == 'model' and 'marts' in node.fqn -%}
        {{ node.name.split('__', 1) | last }}
    {%- else -%}
        {{ node.name }}
    {%- endif -%}
{%- endmacro %}
