{%- set bases = {
    'stg_shop__customers': 'base_shop__users',
    'stg_shop__products': 'base_shop__products',
    'stg_shop__product_prices': 'base_shop__product_prices',
    'stg_shop__inventory': 'base_shop__inventory_movements',
    'stg_shop__orders': 'base_shop__orders',
    'stg_shop__order_lines': 'base_shop__order_lines',
    'stg_shop__refunds': 'base_shop__refunds',
    'stg_billing__payments': 'base_billing__payments',
    'stg_finance__fx_rates': 'base_finance__fx_rates',
    'stg_affiliate__affiliates': 'base_affiliate__affiliates',
    'stg_affiliate__commission_plans': 'base_affiliate__commission_plans',
    'stg_campaign__spend': 'base_campaign__spend',
    'stg_campaign__events': 'base_campaign__tagged_events',
    'stg_activity__product_events': 'base_activity__product_events',
    'stg_activity__searches': 'base_activity__searches',
    'stg_activity__cart_events': 'base_activity__cart_events',
    'stg_activity__trigger_sends': 'base_activity__trigger_sends',
    'stg_affiliate__clicks': 'base_affiliate__clicks',
    'int_campaign__periods': 'int_campaign__months',
} -%}

with final as (
    {%- for model, base in bases.items() %}
    select
        '{{ model }}' as model,
        count(case when not {{ is_due() }} then 1 end) as waiting_rows,
        min(case when not {{ is_due() }} then due_at end) as next_due_at
    from {{ ref(base) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select * from final
