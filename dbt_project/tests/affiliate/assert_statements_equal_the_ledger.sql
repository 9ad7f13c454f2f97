-- the entries of affiliate_payable make each statement, by kind, and together the balance
with entries as (
    select * from {{ ref('affiliate__commission_ledger') }}
    where account = 'affiliate_payable'
),

statements as (select * from {{ ref('affiliate__statements') }}),

moved as (
    select
        affiliate_id,
        currency,
        period,
        case
            when entry_type in ('accrual', 'maturity') then 'matured'
            when entry_type = 'reversal' then 'reversals'
            when entry_type = 'adjustment' then 'adjustments'
            else 'payouts'
        end as kind,
        -amount as amount
    from entries
    union all
    select
        affiliate_id,
        currency,
        period,
        'matured' as kind,
        -matured as amount
    from statements
    union all
    select
        affiliate_id,
        currency,
        period,
        'reversals' as kind,
        -reversals as amount
    from statements
    union all
    select
        affiliate_id,
        currency,
        period,
        'adjustments' as kind,
        -adjustments as amount
    from statements
    union all
    select
        affiliate_id,
        currency,
        period,
        'payouts' as kind,
        -payouts as amount
    from statements
)

select
    affiliate_id,
    currency,
    period,
    kind,
    sum(amount) as difference
from moved
group by affiliate_id, currency, period, kind
having sum(amount) <> 0
