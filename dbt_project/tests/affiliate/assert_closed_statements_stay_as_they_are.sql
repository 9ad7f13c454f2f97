-- what is closed is shown as state keeps it, to the last column, and no month is both
with kept as (select * from {{ source('ledger', 'statements') }}),

shown as (
    select * from {{ ref('affiliate__statements') }}
    where status <> 'open'
),

differing as (
    select coalesce(kept.statement_number, shown.statement_number) as statement_number
    from kept
    full outer join shown on kept.statement_number = shown.statement_number
    where
        kept.statement_number is null
        or shown.statement_number is null
        or kept.affiliate_id <> shown.affiliate_id
        or kept.period <> shown.period
        or kept.currency <> shown.currency
        or kept.status <> shown.status
        or kept.opening <> shown.opening
        or kept.matured <> shown.matured
        or kept.reversals <> shown.reversals
        or kept.adjustments <> shown.adjustments
        or kept.payouts <> shown.payouts
        or kept.closing <> shown.closing
        or kept.payable <> shown.payable
        or kept.carried_forward <> shown.carried_forward
        or kept.net_sales <> shown.net_sales
        or kept.closed_at <> shown.closed_at
        or coalesce(kept.paid_at <> shown.paid_at, kept.paid_at is not null)
        or kept.content_hash <> shown.content_hash
),

reopened as (
    select opened.period
    from {{ ref('affiliate__statements') }} as opened
    inner join kept on opened.period <= kept.period
    where opened.status = 'open'
),

final as (
    select statement_number from differing
    union all
    select 'open: ' || cast(period as {{ varchar(16) }}) as statement_number from reopened
)

select statement_number from final
