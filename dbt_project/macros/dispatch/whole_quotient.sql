{% macro whole_quotient(numerator, denominator) -%}
    {{ return(adapter.dispatch('whole_quotient')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__whole_quotient(numerator, denominator) -%}
    cast(
        cast({{ numerator }} as hugeint) // cast({{ denominator }} as hugeint) as decimal(38, 0)
    )
{%- endmacro %}

{#- Redshift rounds the last place of a quotient: one too many is taken back. -#}
{% macro redshift__whole_quotient(numerator, denominator) -%}
    cast(
        floor(cast({{ numerator }} as decimal(38, 0)) / {{ denominator }})
        - case
            when
                floor(cast({{ numerator }} as decimal(38, 0)) / {{ denominator }})
                * {{ denominator }} > {{ numerator }}
                then 1
            else 0
        end as decimal(38, 0)
    )
{%- endmacro %}
