-- the expense of each line is what it earns in the end, refunds and corrections counted
with entries as (
    select * from {{ ref('affiliate__commission_ledger') }}
    where account = 'commission_expense'
),

due as (select * from {{ ref('int_affiliate__commission_due') }}),

amounts as (
    select
        affiliate_id,
        order_line_id,
        cause_type,
        cause_id,
        currency,
        amount as posted_amount,
        cast(0 as decimal(18, 2)) as due_amount
    from entries
    union all
    select
        affiliate_id,
        order_line_id,
        cause_type,
        cause_id,
        currency,
        cast(0 as decimal(18, 2)) as posted_amount,
        amount as due_amount
    from due
)

select
    affiliate_id,
    order_line_id,
    cause_type,
    cause_id,
    currency,
    cast(sum(posted_amount) as decimal(18, 2)) as posted_amount,
    cast(sum(due_amount) as decimal(18, 2)) as due_amount
from amounts
group by affiliate_id, order_line_id, cause_type, cause_id, currency
having sum(posted_amount) <> sum(due_amount)
