with refunds as (select * from {{ ref('stg_shop__refunds') }}),

final as (
    select
        refund_id,
        cell,
        refund_document_id,
        order_id,
        order_line_id,
        customer_id,
        product_id,
        lower(product_id) as product_code,
        line_kind,
        quantity,
        {{ reporting_amount('unit_price') }} as unit_price,
        {{ reporting_amount('amount') }} as amount,
        coalesce(country, '(unknown)') as country,
        refunded_at,
        {{ reporting_date('refunded_at') }} as refund_date
    from refunds
)

select * from final
