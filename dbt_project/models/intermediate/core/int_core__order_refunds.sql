with line_refunds as (select * from {{ ref('int_core__line_refunds') }}),

final as (
    select
        order_id,
        cast(sum(refunded_amount) as decimal(18, 4)) as refunded_amount
    from line_refunds
    group by order_id
)

select * from final
