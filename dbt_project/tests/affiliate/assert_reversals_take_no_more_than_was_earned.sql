with entries as (
    select * from {{ ref('affiliate__commission_ledger') }}
    where account = 'commission_expense' and order_line_id <> '(none)'
)

select
    affiliate_id,
    order_line_id,
    currency,
    cast(sum(amount) as decimal(18, 2)) as earned_amount
from entries
group by affiliate_id, order_line_id, currency
having sum(amount) < 0
