{#- ISO 4217, minor unit 0, as warehouse/ledger/currencies.py has them: a test compares both. -#}
{% macro whole_currencies() -%}
    {{ return([
        'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND',
        'VUV', 'XAF', 'XOF', 'XPF',
    ]) }}
{%- endmacro %}

{% macro rounded_money(amount, currency) -%}
    cast(
        case
            when {{ currency }} in ('{{ whole_currencies() | join("', '") }}')
                then round({{ amount }}, 0)
            else round({{ amount }}, 2)
        end as decimal(18, 2)
    )
{%- endmacro %}
