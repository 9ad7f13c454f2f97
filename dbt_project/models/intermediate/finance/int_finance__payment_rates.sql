with payments as (select * from {{ ref('stg_billing__payments') }}),

order_rates as (select * from {{ ref('int_finance__order_rates') }}),

rates as (select * from {{ ref('int_finance__rates') }}),

-- the rate of the order's day, so that what was paid equals what was ordered
dated as (
    select
        payments.payment_id,
        payments.currency,
        coalesce(order_rates.rate_date, {{ reporting_date('payments.paid_at') }}) as rate_date
    from payments
    left join order_rates on payments.order_id = order_rates.order_id
),

final as (
    select
        dated.payment_id,
        dated.currency,
        dated.rate_date,
        {{ reporting_rate('dated.currency', 'rates.rate') }} as rate
    from dated
    left join
        rates
        on dated.currency = rates.currency and dated.rate_date = rates.rate_date
)

select * from final
