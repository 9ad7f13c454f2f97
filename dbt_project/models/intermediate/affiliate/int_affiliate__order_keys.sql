with orders as (
    select distinct
        order_id,
        order_date,
        ordered_at,
        visitor_id,
        customer_id
    from {{ ref('int_affiliate__lines') }}
),

final as (
    {%- for person in ['visitor', 'customer'] %}
    {{ 'union all' if not loop.first }}
    select
        order_id,
        order_date,
        ordered_at,
        '{{ person }}' as person_kind,
        {{ person }}_id as person_id,
        '{{ person }} ' || {{ person }}_id as order_key
    from orders
    where {{ person }}_id is not null
    {%- endfor %}
)

select * from final
