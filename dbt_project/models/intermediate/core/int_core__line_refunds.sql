with allocations as (select * from {{ ref('int_core__refund_allocations') }}),

order_lines as (select * from {{ ref('int_core__order_lines') }}),

final as (
    select
        order_lines.order_line_id,
        order_lines.order_id,
        cast(sum(allocations.quantity) as bigint) as refunded_quantity,
        cast(sum(allocations.amount) as decimal(18, 4)) as refunded_amount
    from allocations
    inner join order_lines on allocations.order_line_id = order_lines.order_line_id
    group by order_lines.order_line_id, order_lines.order_id
)

select * from final
