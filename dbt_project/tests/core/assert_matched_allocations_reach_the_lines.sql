with allocated as (
    select coalesce(sum(amount), 0) as amount
    from {{ ref('core__refund_allocations') }}
    where match_rule <> 'unmatched'
),

lines as (
    select coalesce(sum(refunded_amount), 0) as amount
    from {{ ref('core__order_lines') }}
)

select
    allocated.amount as allocated_amount,
    lines.amount as line_refunded_amount
from allocated
cross join lines
where allocated.amount <> lines.amount
