with affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

rules as (
    select * from {{ ref('int_affiliate__rules') }}
    where valid_from <= {{ as_of_date() }} and valid_before > {{ as_of_date() }}
),

entries as (select * from {{ source('ledger', 'entries') }}),

-- whom the shop deleted keeps a balance
gone as (
    select
        entries.affiliate_id,
        max(entries.currency) as payout_currency
    from entries
    left join affiliates on entries.affiliate_id = affiliates.affiliate_id
    where affiliates.affiliate_id is null
    group by entries.affiliate_id
),

final as (
    select
        affiliates.affiliate_id,
        affiliates.name,
        case
            when rules.affiliate_status = 'shop' then affiliates.status else rules.affiliate_status
        end as affiliate_status,
        affiliates.payout_currency,
        cast(affiliates.minimum_payout as decimal(18, 2)) as minimum_payout,
        rules.payout_calendar as payout_term
    from affiliates
    inner join rules on affiliates.affiliate_id = rules.affiliate_id
    union all
    select
        gone.affiliate_id,
        cast(null as {{ varchar(1024) }}) as name,
        '(unknown)' as affiliate_status,
        gone.payout_currency,
        cast(0 as decimal(18, 2)) as minimum_payout,
        rules.payout_calendar as payout_term
    from gone
    inner join rules on rules.affiliate_id = '(none)'
)

select * from final
