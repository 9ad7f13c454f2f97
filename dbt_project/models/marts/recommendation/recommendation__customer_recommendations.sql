with recommendations as (select * from {{ source('solved', 'customer_recommendations') }}),

final as (
    select
        cast(customer_id as {{ varchar(256) }}) as customer_id,
        rank,
        cast(product_id as {{ varchar(256) }}) as product_id,
        score,
        cast(reason_product_id as {{ varchar(256) }}) as reason_product_id,
        cast(reason_kind as {{ varchar(64) }}) as reason_kind,
        n,
        cast(recommender as {{ varchar(64) }}) as recommender
    from recommendations
)

select * from final
