with orders as (select * from {{ ref('stg_shop__orders') }}),

rates as (select * from {{ ref('int_finance__rates') }}),

dated as (
    select
        order_id,
        currency,
        {{ reporting_date('ordered_at') }} as rate_date
    from orders
),

final as (
    select
        dated.order_id,
        dated.currency,
        dated.rate_date,
        {{ reporting_rate('dated.currency', 'rates.rate') }} as rate
    from dated
    left join
        rates
        on dated.currency = rates.currency and dated.rate_date = rates.rate_date
)

select * from final
