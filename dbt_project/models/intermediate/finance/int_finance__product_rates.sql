with products as (select * from {{ ref('stg_shop__products') }}),

rates as (select * from {{ ref('int_finance__rates') }}),

final as (
    select
        products.product_id,
        products.currency,
        {{ as_of_date() }} as rate_date,
        {{ reporting_rate('products.currency', 'rates.rate') }} as rate
    from products
    left join
        rates
        on
            products.currency = rates.currency
            and {{ as_of_date() }} = rates.rate_date
    where products.list_price is not null
)

select * from final
