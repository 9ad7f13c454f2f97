{% macro x_log_x(x) -%}
    case when {{ x }} > 0 then cast({{ x }} as double precision) * ln(cast({{ x }} as double precision)) else 0 end
{%- endmacro %}
