{#- ln(ratio) by z = (ratio - 1) / (ratio + 1), which the caller knows with all its digits: near 1 the
    ratio itself has lost them. The series of 2 artanh(z); its 8 terms are exact to the last digit up
    to a z of 0.05. -#}
{% macro log_of_ratio(ratio, z) -%}
    {%- set series = namespace(text='%.16e' | format(1 / 15)) -%}
    {%- for odd in [13, 11, 9, 7, 5, 3, 1] -%}
        {%- set term = '%.16e' | format(1 / odd) -%}
        {%- set series.text = term ~ ' + ' ~ z ~ ' * ' ~ z ~ ' * (' ~ series.text ~ ')' -%}
    {%- endfor -%}
    case
        when abs({{ z }}) < 0.05 then 2 * {{ z }} * ({{ series.text }})
        else ln({{ ratio }})
    end
{%- endmacro %}
