-- what is closed comes from state as it is
with closed as (select * from {{ source('ledger', 'statements') }}),

opened as (select * from {{ ref('int_affiliate__open_statements') }}),

final as (
    select
        cast(affiliate_id as {{ varchar(256) }}) as affiliate_id,
        period,
        cast(currency as {{ varchar(3) }}) as currency,
        cast(statement_number as {{ varchar(256) }}) as statement_number,
        cast(status as {{ varchar(64) }}) as status,
        opening,
        matured,
        reversals,
        adjustments,
        payouts,
        closing,
        payable,
        carried_forward,
        net_sales,
        cast(null as timestamptz) as closable_at,
        closed_at,
        paid_at,
        cast(content_hash as {{ varchar(64) }}) as content_hash
    from closed
    union all
    select
        affiliate_id,
        period,
        currency,
        '(none)' as statement_number,
        'open' as status,
        opening,
        matured,
        reversals,
        adjustments,
        payouts,
        closing,
        payable,
        carried_forward,
        net_sales,
        closable_at,
        cast(null as timestamptz) as closed_at,
        cast(null as timestamptz) as paid_at,
        cast(null as {{ varchar(64) }}) as content_hash
    from opened
)

select * from final
