with payments as (select * from {{ ref('int_core__payments') }}),

final as (
    select
        payment_id,
        cell,
        cast(order_id as {{ varchar(256) }}) as order_id,
        source_order_id,
        customer_id,
        kind,
        status,
        amount,
        paid_amount,
        source_amount,
        currency,
        paid_at,
        paid_date
    from payments
)

select * from final
