-- what one account of a transaction gains, its others lose, in each currency
with entries as (select * from {{ ref('affiliate__commission_ledger') }})

select
    transaction_id,
    currency,
    cast(sum(amount) as decimal(18, 2)) as difference
from entries
group by transaction_id, currency
having sum(amount) <> 0
