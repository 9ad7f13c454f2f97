with final as (
    select
        cast({{ var('basket_cap') }} as bigint) as basket_cap,
        cast({{ var('pair_minimum_support') }} as decimal(18, 9)) as minimum_support,
        cast({{ var('pair_minimum_baskets') }} as bigint) as minimum_baskets
)

select * from final
