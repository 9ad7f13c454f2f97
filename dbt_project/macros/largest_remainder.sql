{% macro largest_remainder(total, quotient, remainder, group, key) -%}
    {{ quotient }} + case
        when
            row_number() over (partition by {{ group }} order by {{ remainder }} desc, {{ key }})
            <= {{ total }} - sum({{ quotient }}) over (partition by {{ group }})
            then 1
        else 0
    end
{%- endmacro %}
