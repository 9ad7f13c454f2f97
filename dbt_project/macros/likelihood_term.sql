{#- What a cell of a 2 x 2 table adds to Dunning's log-likelihood ratio: 2 (O ln(O/E) - O + E), with
    `excess` = O/E - 1. The cells' O - E sum to 0, so that this is the usual sum of 2 O ln(O/E), but
    no term is negative and nothing cancels between cells. Within a cell the difference does near
    O = E, where it is E times the series of (1+x) ln(1+x) - x: its 13 terms are exact to the last
    digits up to an excess of 0.1. -#}
{% macro likelihood_term(observed, expected, excess) -%}
    {%- set series = namespace(text='%.16e' | format(1 / 182)) -%}
    {%- for power in range(13, 1, -1) -%}
        {%- set term = '%.16e' | format(1 / (power * (power - 1))) -%}
        {%- set series.text = term ~ ' - ' ~ excess ~ ' * (' ~ series.text ~ ')' -%}
    {%- endfor -%}
    case
        when {{ observed }} = 0 then 2 * {{ expected }}
        when abs({{ excess }}) < 0.1
            then 2 * {{ expected }} * {{ excess }} * {{ excess }} * ({{ series.text }})
        else
            2 * (
                {{ observed }} * ln(cast({{ observed }} as double precision) / {{ expected }})
                - {{ observed }} + {{ expected }}
            )
    end
{%- endmacro %}
