{% macro channel_name(channel, campaign_id) -%}
    case
        when nullif({{ channel }}, '') is not null then {{ channel }}
        when nullif({{ campaign_id }}, '') is null then 'direct'
        else '(unknown)'
    end
{%- endmacro %}
