with movements as (select * from {{ ref('base_shop__inventory_movements') }}),

-- what moves at one instant is one change
changes as (
    select
        product_id,
        moved_at,
        _cell,
        sum(quantity) as quantity,
        max(_load_id) as _load_id
    from movements
    where {{ is_due() }}
    group by product_id, moved_at, _cell
),

final as (
    select
        cast(product_id as {{ varchar(256) }}) as product_id,
        moved_at as valid_from,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(
            sum(quantity) over (
                partition by _cell, product_id
                order by moved_at
                rows between unbounded preceding and current row
            ) as bigint
        ) as on_hand,
        lead(moved_at) over (partition by _cell, product_id order by moved_at) as valid_to,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from changes
)

select * from final
