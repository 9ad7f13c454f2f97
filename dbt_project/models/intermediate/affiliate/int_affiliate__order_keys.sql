{#- Written nowhere: it says the same as orders, twice. -#}
{{ config(materialized='view') }}

with final as (
    {%- for person in ['visitor', 'customer'] %}
    {{ 'union all' if not loop.first }}
    select
        order_id,
        order_date,
        ordered_at,
        '{{ person }}' as person_kind,
        {{ person }}_id as person_id,
        '{{ person }} ' || {{ person }}_id as order_key
    from {{ ref('int_affiliate__orders') }}
    where {{ person }}_id is not null
    {%- endfor %}
)

select * from final
