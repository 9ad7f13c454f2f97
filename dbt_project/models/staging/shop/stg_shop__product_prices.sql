with prices as (select * from {{ ref('base_shop__product_prices') }}),

-- a price that is still to come ends none: what is current at as_of has no end
final as (
    select
        cast(prices.product_id as {{ varchar(256) }}) as product_id,
        prices.valid_from,
        cast(prices._cell as {{ varchar(64) }}) as cell,
        cast(prices.price as decimal(18, 4)) as price,
        cast(prices.currency as {{ varchar(64) }}) as currency,
        lead(prices.valid_from) over (
            partition by prices._cell, prices.product_id order by prices.valid_from
        ) as valid_to,
        cast(prices._load_id as {{ varchar(64) }}) as _load_id
    from prices
    where {{ is_due('prices.due_at') }}
)

select * from final
