with products as (select * from {{ ref('stg_shop__products') }}),

inventory as (select * from {{ ref('stg_shop__inventory') }}),

product_rates as (select * from {{ ref('int_finance__product_rates') }}),

blocked_categories as (select * from {{ ref('blocked_categories') }}),

stock as (
    select
        product_id,
        cast(sum(on_hand) as bigint) as on_hand
    from inventory
    where valid_to is null
    group by product_id
),

blocked as (
    select distinct lower(category) as category
    from blocked_categories
    where coalesce(valid_from, date '1900-01-01') <= {{ as_of_date() }}
),

described as (
    select
        products.product_id,
        products.cell,
        products.name,
        products.category,
        {{ reporting_amount('products.list_price', 'product_rates.rate') }} as price,
        stock.on_hand,
        coalesce(products.is_active, true) as is_active,
        blocked.category is not null as is_blocked
    from products
    left join product_rates on products.product_id = product_rates.product_id
    left join stock on products.product_id = stock.product_id
    left join blocked on lower(trim(products.category)) = blocked.category
),

excluded as (
    select
        product_id,
        cell,
        name,
        category,
        price,
        on_hand,
        is_active,
        case
            when not is_active then 'inactive'
            -- a shop that counts no stock of a product may sell it
            when on_hand <= 0 then 'out_of_stock'
            when is_blocked then 'blocked_category'
        end as exclusion
    from described
),

final as (
    select
        product_id,
        cell,
        name,
        category,
        price,
        on_hand,
        is_active,
        exclusion is null as is_recommendable,
        cast(exclusion as {{ varchar(64) }}) as exclusion
    from excluded
)

select * from final
