{% macro interaction_weight(kind) -%}
    {%- set weights = var('interaction_weights') -%}
    {%- set kinds = ['view', 'search_click', 'wishlist', 'cart', 'purchase'] -%}
    {%- for name in weights if name not in kinds -%}
        {{ exceptions.raise_compiler_error(
            'interaction_weights: ' ~ name ~ ' is no kind; there are ' ~ kinds | join(', ')
        ) }}
    {%- endfor -%}
    {%- for name in kinds if weights.get(name) is not number or weights[name] < 0 -%}
        {{ exceptions.raise_compiler_error(
            'interaction_weights: say a number from 0 on for ' ~ name
        ) }}
    {%- endfor -%}
    cast({{ weights[kind] }} as decimal(9, 4))
{%- endmacro %}
