-- a line that may still be taken back, or is held, has nothing in affiliate_payable; any other has
-- nothing left in affiliate_pending
with entries as (
    select * from {{ ref('affiliate__commission_ledger') }}
    where order_line_id <> '(none)'
),

due as (
    select * from {{ ref('int_affiliate__commission_due') }}
    where cause_type = 'order'
),

balances as (
    select
        affiliate_id,
        order_line_id,
        currency,
        cast(
            sum(case when account = 'affiliate_pending' then amount else 0 end) as decimal(18, 2)
        ) as pending,
        cast(
            sum(case when account = 'affiliate_payable' then amount else 0 end) as decimal(18, 2)
        ) as payable
    from entries
    group by affiliate_id, order_line_id, currency
)

select
    balances.affiliate_id,
    balances.order_line_id,
    balances.currency,
    balances.pending,
    balances.payable,
    due.matures_at,
    due.held_since
from balances
left join due
    on
        balances.affiliate_id = due.affiliate_id
        and balances.order_line_id = due.order_line_id
        and balances.currency = due.currency
where
    case
        when due.affiliate_id is null then balances.payable <> 0 or balances.pending <> 0
        when due.held_since is null and due.matures_at <= {{ as_of() }} then balances.pending <> 0
        else balances.payable <> 0
    end
