-- a refund of a whole line that it names takes the line's rate: no exchange difference stays
select
    order_lines.order_line_id,
    refunds.refund_id,
    order_lines.line_amount,
    allocations.amount as refunded_amount
from {{ ref('core__refund_allocations') }} as allocations
inner join {{ ref('int_core__refunds') }} as refunds on allocations.refund_id = refunds.refund_id
inner join
    {{ ref('int_core__order_lines') }} as order_lines
    on allocations.order_line_id = order_lines.order_line_id
where
    allocations.match_rule = 'reference'
    and allocations.quantity = refunds.quantity
    and allocations.quantity = order_lines.quantity
    and refunds.currency = order_lines.currency
    and refunds.source_amount = order_lines.source_amount
    and allocations.amount <> order_lines.line_amount
