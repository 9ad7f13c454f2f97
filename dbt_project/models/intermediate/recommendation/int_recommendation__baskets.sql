with interactions as (
    select * from {{ ref('int_recommendation__interactions') }}
    where kind in ('purchase', 'view', 'cart')
),

contained as (
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
        product_id,
        occurred_at
    from interactions
),

-- a product counts once in a basket
products as (
    select
        kind,
        basket_id,
        product_id,
        min(occurred_at) as first_at
    from contained
    group by kind, basket_id, product_id
),

large as (
    select
        kind,
        basket_id,
        count(*) as product_count
    from products
    group by kind, basket_id
    having count(*) > {{ var('basket_cap') }}
),

final as (
    select
        products.kind,
        products.basket_id,
        products.product_id,
        products.first_at,
        large.basket_id is null as is_within_cap
    from products
    left join large on products.kind = large.kind and products.basket_id = large.basket_id
)

select * from final
