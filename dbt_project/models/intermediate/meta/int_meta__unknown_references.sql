{%- set keys = {
    'stg_affiliate__affiliates': 'affiliate_id',
    'stg_campaign__campaigns': 'campaign_id',
    'stg_shop__customers': 'customer_id',
    'stg_shop__products': 'product_id',
} -%}

with final as (
    {%- for model, table in references_across_sources().items() %}
    {%- set is_last_table = loop.last %}
    {%- for column, parent in table.columns.items() %}
    select
        '{{ table.source }}' as raw_source,
        '{{ table.entity }}' as raw_entity,
        child.cell,
        child.{{ table.key }} as row_key,
        '{{ column }}' as column_name,
        child.{{ column }} as unknown_id
    from {{ ref(model) }} as child
    left join {{ ref(parent) }} as parent on child.{{ column }} = parent.{{ keys[parent] }}
    where child.{{ column }} <> '' and parent.{{ keys[parent] }} is null
    {%- if not (loop.last and is_last_table) %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
)

select * from final
