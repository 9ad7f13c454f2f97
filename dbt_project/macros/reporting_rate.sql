{% macro reporting_rate(currency, rate) -%}
    case
        when {{ currency }} = '{{ var("reporting_currency") }}' then cast(1 as decimal(18, 8))
        else {{ rate }}
    end
{%- endmacro %}
