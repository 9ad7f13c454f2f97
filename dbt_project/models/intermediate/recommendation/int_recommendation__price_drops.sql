{{ config(materialized='view') }}

with prices as (select * from {{ ref('stg_shop__product_prices') }}),

changes as (
    select
        product_id,
        valid_from,
        price,
        currency,
        lag(price) over (partition by product_id order by valid_from) as price_before,
        lag(currency) over (partition by product_id order by valid_from) as currency_before
    from prices
),

final as (
    select
        product_id,
        valid_from as dropped_at,
        price,
        price_before
    from changes
    where
        currency = currency_before
        and price <= price_before * (1 - cast({{ var('trigger_price_drop') }} as decimal(9, 4)))
        and price < price_before
)

select * from final
