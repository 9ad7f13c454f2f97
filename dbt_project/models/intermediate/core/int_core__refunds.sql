with refunds as (select * from {{ ref('stg_shop__refunds') }}),

refund_rates as (select * from {{ ref('int_finance__refund_rates') }}),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

final as (
    select
        refunds.refund_id,
        refunds.cell,
        refunds.refund_document_id,
        refunds.order_id,
        refunds.order_line_id,
        coalesce(customer_aliases.customer_id, refunds.customer_id) as customer_id,
        refunds.product_id,
        lower(refunds.product_id) as product_code,
        refunds.line_kind,
        refunds.quantity,
        {{ reporting_amount('refunds.unit_price', 'refund_rates.rate') }} as unit_price,
        {{ reporting_amount('refunds.amount', 'refund_rates.rate') }} as amount,
        refund_rates.currency,
        refunds.unit_price as source_unit_price,
        refunds.amount as source_amount,
        coalesce(refunds.country, '(unknown)') as country,
        refunds.refunded_at,
        {{ reporting_date('refunds.refunded_at') }} as refund_date
    from refunds
    inner join refund_rates on refunds.refund_id = refund_rates.refund_id
    left join customer_aliases on refunds.customer_id = customer_aliases.merged_customer_id
    where refund_rates.rate is not null
)

select * from final
