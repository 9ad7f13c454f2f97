with neighbours as (select * from {{ source('solved', 'customer_neighbours') }}),

final as (
    select
        cast(customer_id as {{ varchar(256) }}) as customer_id,
        rank,
        cast(other_customer_id as {{ varchar(256) }}) as other_customer_id,
        score,
        n
    from neighbours
)

select * from final
