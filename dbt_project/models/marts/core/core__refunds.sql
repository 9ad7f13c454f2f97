with refunds as (select * from {{ ref('int_core__refunds') }}),

final as (
    select
        refund_id,
        cell,
        refund_document_id,
        order_id,
        order_line_id,
        customer_id,
        product_id,
        line_kind,
        quantity,
        unit_price,
        amount,
        cast('{{ var("reporting_currency") }}' as {{ varchar(64) }}) as currency,
        country,
        refunded_at,
        refund_date
    from refunds
)

select * from final
