with refunds as (select * from {{ ref('stg_shop__refunds') }}),

order_lines as (select * from {{ ref('stg_shop__order_lines') }}),

order_rates as (select * from {{ ref('int_finance__order_rates') }}),

rates as (select * from {{ ref('int_finance__rates') }}),

-- what is paid back of an order is worth what it was worth then, so that both come to nothing
dated as (
    select
        refunds.refund_id,
        refunds.currency,
        coalesce(order_rates.rate_date, {{ reporting_date('refunds.refunded_at') }}) as rate_date
    from refunds
    left join order_lines on refunds.order_line_id = order_lines.order_line_id
    left join
        order_rates
        on coalesce(refunds.order_id, order_lines.order_id) = order_rates.order_id
),

final as (
    select
        dated.refund_id,
        dated.currency,
        dated.rate_date,
        {{ reporting_rate('dated.currency', 'rates.rate') }} as rate
    from dated
    left join
        rates
        on dated.currency = rates.currency and dated.rate_date = rates.rate_date
)

select * from final
