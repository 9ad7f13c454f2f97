-- what state holds is in the public ledger, to the last column
with posted as (select * from {{ source('ledger', 'entries') }}),

entries as (select * from {{ ref('affiliate__commission_ledger') }})

select posted.entry_id
from posted
left join entries
    on
        posted.entry_id = entries.entry_id
        and posted.transaction_id = entries.transaction_id
        and posted.account = entries.account
        and posted.affiliate_id = entries.affiliate_id
        and posted.order_line_id = entries.order_line_id
        and posted.entry_type = entries.entry_type
        and posted.amount = entries.amount
        and posted.currency = entries.currency
        and posted.effective_at = entries.effective_at
        and posted.posted_at = entries.posted_at
        and posted.period = entries.period
        and posted.cause_type = entries.cause_type
        and posted.cause_id = entries.cause_id
        and posted.as_of = entries.as_of
        and posted.run_id = entries.run_id
where entries.entry_id is null
