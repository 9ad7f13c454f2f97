-- Only a warning: a category may be blocked before its first product comes.
{{ config(severity='warn') }}

with blocked_categories as (select * from {{ ref('blocked_categories') }}),

products as (select * from {{ ref('int_recommendation__products') }})

select
    blocked_categories.category,
    blocked_categories.reason
from blocked_categories
left join products on lower(blocked_categories.category) = lower(trim(products.category))
where products.product_id is null
