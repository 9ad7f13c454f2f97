-- what is proposed is posted with the version that shows it: from then on it is among the posted
with posted as (select * from {{ source('ledger', 'entries') }}),

proposed as (select * from {{ source('solved', 'commission_proposal') }}),

entries as (
    select * from posted
    union all
    select * from proposed
),

final as (
    select
        cast(entry_id as {{ varchar(256) }}) as entry_id,
        cast(transaction_id as {{ varchar(256) }}) as transaction_id,
        cast(account as {{ varchar(64) }}) as account,
        cast(affiliate_id as {{ varchar(256) }}) as affiliate_id,
        cast(order_line_id as {{ varchar(256) }}) as order_line_id,
        cast(entry_type as {{ varchar(64) }}) as entry_type,
        cast(amount as decimal(18, 2)) as amount,
        cast(currency as {{ varchar(3) }}) as currency,
        cast(rate as decimal(18, 8)) as rate,
        cast(fx_rate as decimal(18, 8)) as fx_rate,
        effective_at,
        posted_at,
        period,
        cast(cause_type as {{ varchar(64) }}) as cause_type,
        cast(cause_id as {{ varchar(256) }}) as cause_id,
        as_of,
        cast(run_id as {{ varchar(256) }}) as run_id
    from entries
)

select * from final
