with movements as (select * from {{ ref('base_shop__inventory_movements') }}),

final as (
    select
        cast(movement_id as {{ varchar(256) }}) as movement_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(product_id as {{ varchar(256) }}) as product_id,
        cast(kind as {{ varchar(64) }}) as kind,
        cast(quantity as bigint) as quantity,
        moved_at,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from movements
    where {{ is_due() }}
)

select * from final
