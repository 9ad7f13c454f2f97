{% macro word_stem(word) -%}
    {#- The plural goes: berries, boxes, cards; glass, bus and iris stay. -#}
    case
        when length({{ word }}) <= 3 then {{ word }}
        when {{ word }} like '%ies' then regexp_replace({{ word }}, 'ies$', 'y')
        when
            {{ word }} like '%ches' or {{ word }} like '%shes'
            or {{ word }} like '%xes' or {{ word }} like '%sses'
            then regexp_replace({{ word }}, 'es$', '')
        when {{ word }} like '%ss' or {{ word }} like '%us' or {{ word }} like '%is' then {{ word }}
        when {{ word }} like '%s' then regexp_replace({{ word }}, 's$', '')
        else {{ word }}
    end
{%- endmacro %}
