{% macro attribution_setting(name, day) -%}
    {#- By a case and not by a join: the rows are few and known here, the touches are millions. -#}
    {%- set rows = attribution_settings() -%}
    {%- set quote = "'" if rows[0][name] is string else '' -%}
    {%- if rows | map(attribute=name) | unique | list | length == 1 -%}
        {{ quote }}{{ rows[0][name] }}{{ quote }}
    {%- else -%}
        case
            {%- for row in rows[1:] | reverse %}
            when {{ day }} >= date '{{ row["valid_from"] }}-01' then {{ quote }}{{ row[name] }}{{ quote }}
            {%- endfor %}
            else {{ quote }}{{ rows[0][name] }}{{ quote }}
        end
    {%- endif -%}
{%- endmacro %}
