-- months close in their order: what comes after a month's close counts in a later one
with entries as (select * from {{ ref('affiliate__commission_ledger') }}),

statements as (select * from {{ source('ledger', 'statements') }}),

closed as (
    select
        period,
        min(closed_at) as closed_at
    from statements
    group by period
)

select
    entries.entry_id,
    entries.period,
    entries.posted_at,
    closed.period as closed_period,
    closed.closed_at
from entries
inner join closed
    on
        entries.period <= closed.period
        and entries.posted_at > closed.closed_at
