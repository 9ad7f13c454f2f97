{#- Written nowhere: it says the same as the lines, and three models read it. -#}
{{ config(materialized='view') }}

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
    select
        order_id,
        order_date,
        ordered_at,
        'visitor ' || visitor_id as order_key
    from orders
    where visitor_id is not null
    union all
    select
        order_id,
        order_date,
        ordered_at,
        'customer ' || customer_id as order_key
    from orders
    where customer_id is not null
)

select * from final
