with products as (select * from {{ ref('base_shop__products') }}),

final as (
    select
        cast(product_id as {{ varchar(256) }}) as product_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(name as {{ varchar(1024) }}) as name,
        cast(category as {{ varchar(256) }}) as category,
        cast(brand as {{ varchar(256) }}) as brand,
        cast(list_price as decimal(18, 4)) as list_price,
        cast(currency as {{ varchar(64) }}) as currency,
        is_commissionable,
        is_active,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from products
    where {{ is_due() }}
)

select * from final
