with related_products as (select * from {{ ref('recommendation__related_products') }}),

products as (select * from {{ ref('int_recommendation__products') }})

select
    related_products.product_id,
    related_products.rank,
    related_products.related_product_id,
    coalesce(products.exclusion, 'not_in_the_catalogue') as exclusion
from related_products
left join products on related_products.related_product_id = products.product_id
where not coalesce(products.is_recommendable, false)
