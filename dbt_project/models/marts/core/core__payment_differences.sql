with differences as (select * from {{ ref('int_core__payment_differences') }}),

order_refunds as (select * from {{ ref('int_core__order_refunds') }}),

final as (
    select
        cast(differences.order_id as {{ varchar(256) }}) as order_id,
        cast(differences.payment_id as {{ varchar(256) }}) as payment_id,
        differences.cell,
        differences.customer_id,
        cast(differences.reason as {{ varchar(64) }}) as reason,
        differences.due_amount,
        differences.paid_amount,
        differences.difference_amount,
        differences.charged_back_amount,
        differences.pending_amount,
        coalesce(order_refunds.refunded_amount, 0) as refunded_amount,
        differences.occurred_at,
        {{ reporting_date('differences.occurred_at') }} as occurred_date
    from differences
    left join order_refunds on differences.order_id = order_refunds.order_id
)

select * from final
