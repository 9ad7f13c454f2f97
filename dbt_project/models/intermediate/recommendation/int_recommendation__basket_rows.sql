{#- Written nowhere: who counts pairs reads it once, and later only what changed of it. -#}
{{ config(materialized='view') }}

with interactions as (
    select * from {{ ref('int_recommendation__interactions') }}
    where kind in ('purchase', 'view', 'cart')
),

named as (
    select
        case kind
            when 'purchase' then 'co_purchase'
            when 'view' then 'co_view'
            else 'co_cart'
        end as kind,
        case kind
            when 'purchase' then order_id
            when 'view' then session_id
            -- a shop that gives its carts no id: what was put in during one visit
            else coalesce(cart_id, session_id)
        end as basket_id,
        case kind when 'purchase' then 1 when 'view' then 2 else 3 end as kind_number,
        product_id,
        occurred_at
    from interactions
),

-- millions of baskets are told apart by whole numbers, which are many times faster than their ids
final as (
    select
        kind,
        kind_number,
        basket_id,
        {{ row_hash(['kind_number', 'basket_id']) }} as basket_hash,
        product_id,
        occurred_at
    from named
)

select * from final
