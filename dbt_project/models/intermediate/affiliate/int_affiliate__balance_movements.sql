-- what is proposed is posted with the version that shows it
with posted as (select * from {{ source('ledger', 'entries') }}),

proposed as (select * from {{ source('solved', 'commission_proposal') }}),

entries as (
    select
        affiliate_id,
        currency,
        period,
        account,
        entry_type,
        amount
    from posted
    union all
    select
        affiliate_id,
        currency,
        period,
        account,
        entry_type,
        amount
    from proposed
),

-- a credit is what we owe
owed as (
    select
        affiliate_id,
        currency,
        period,
        entry_type,
        case when account = 'affiliate_payable' then -amount else 0 end as amount
    from entries
),

final as (
    select
        affiliate_id,
        currency,
        period,
        cast(
            sum(case when entry_type in ('accrual', 'maturity') then amount else 0 end)
            as decimal(18, 2)
        ) as matured,
        cast(
            sum(case when entry_type = 'reversal' then amount else 0 end) as decimal(18, 2)
        ) as reversals,
        cast(
            sum(case when entry_type = 'adjustment' then amount else 0 end) as decimal(18, 2)
        ) as adjustments,
        cast(
            sum(case when entry_type in ('payout', 'payout_reversal') then amount else 0 end)
            as decimal(18, 2)
        ) as payouts
    from owed
    group by affiliate_id, currency, period
)

select * from final
