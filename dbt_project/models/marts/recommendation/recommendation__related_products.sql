with related_products as (select * from {{ source('solved', 'related_products') }}),

final as (
    select
        cast(product_id as {{ varchar(256) }}) as product_id,
        rank,
        cast(related_product_id as {{ varchar(256) }}) as related_product_id,
        score,
        cast(reason_kind as {{ varchar(64) }}) as reason_kind,
        n,
        cast(recommender as {{ varchar(64) }}) as recommender
    from related_products
)

select * from final
