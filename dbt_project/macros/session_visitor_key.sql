{% macro session_visitor_key() -%}
    case
        when visitor_id is not null then 'visitor ' || visitor_id
        else 'customer ' || customer_id
    end
{%- endmacro %}
