with allocated as (
    select
        refund_id,
        sum(quantity) as quantity,
        sum(amount) as amount
    from {{ ref('core__refund_allocations') }}
    group by refund_id
)

select
    coalesce(refunds.refund_id, allocated.refund_id) as refund_id,
    refunds.quantity,
    allocated.quantity as allocated_quantity,
    refunds.amount,
    allocated.amount as allocated_amount
from {{ ref('core__refunds') }} as refunds
full outer join allocated on refunds.refund_id = allocated.refund_id
where
    refunds.refund_id is null
    or allocated.refund_id is null
    or refunds.quantity <> allocated.quantity
    or refunds.amount <> allocated.amount
