with purchases as (
    select * from {{ ref('int_recommendation__candidates') }}
    where kind = 'purchase' and exclusion is null
),

products as (
    select distinct
        order_id,
        product_id
    from purchases
),

final as (
    select
        order_id,
        product_id
    from products
    qualify count(*) over (partition by order_id) <= {{ var('basket_cap') }}
)

select * from final
