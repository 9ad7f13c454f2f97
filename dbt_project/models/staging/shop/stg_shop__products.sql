with products as (select * from {{ ref('base_shop__products') }}),

prices as (select * from {{ ref('stg_shop__product_prices') }}),

-- the price list says more than the catalogue, which holds the price of the moment it was read
current_prices as (
    select
        cell,
        product_id,
        price,
        currency
    from prices
    where valid_to is null
),

final as (
    select
        cast(products.product_id as {{ varchar(256) }}) as product_id,
        cast(products._cell as {{ varchar(64) }}) as cell,
        cast(products.name as {{ varchar(1024) }}) as name,
        cast(products.category as {{ varchar(256) }}) as category,
        cast(products.brand as {{ varchar(256) }}) as brand,
        cast(
            case
                when current_prices.product_id is not null then current_prices.price
                else products.list_price
            end as decimal(18, 4)
        ) as list_price,
        cast(
            case
                when current_prices.product_id is not null then current_prices.currency
                else products.currency
            end as {{ varchar(64) }}
        ) as currency,
        products.is_commissionable,
        products.is_active,
        cast(products._load_id as {{ varchar(64) }}) as _load_id
    from products
    left join
        current_prices
        on products._cell = current_prices.cell and products.product_id = current_prices.product_id
    where {{ is_due('products.due_at') }}
)

select * from final
