with refunds as (select * from {{ ref('int_core__refunds') }}),

final as (
    select
        refund_id,
        order_id,
        order_line_id,
        customer_id,
        product_code,
        currency,
        source_unit_price as unit_price,
        quantity,
        amount,
        refunded_at
    from refunds
)

select * from final
