with payees as (select * from {{ ref('int_affiliate__payees') }}),

-- what is proposed is posted with the version that shows it
posted as (select * from {{ ref('affiliate__commission_ledger') }}),

statements as (
    select * from {{ source('ledger', 'statements') }}
    where due_date <= {{ as_of_date() }}
),

payments as (select * from {{ source('ledger', 'payments') }}),

decisions as (select * from {{ source('ledger', 'decisions') }}),

accounts as (
    select
        affiliate_id,
        payout_currency as currency
    from payees
    union
    select
        affiliate_id,
        currency
    from posted
),

balances as (
    select
        affiliate_id,
        currency,
        -sum(case when account = 'affiliate_pending' then amount else 0 end) as pending,
        -sum(case when account = 'affiliate_payable' then amount else 0 end) as owed
    from posted
    group by affiliate_id, currency
),

under_way as (
    select
        affiliate_id,
        currency,
        sum(amount) as amount
    from payments
    where outcome = 'open'
    group by affiliate_id, currency
),

-- what people decided to take away is not paid before a run has posted it
done as (
    select distinct cause_id from posted
    where cause_type = 'decision'
),

undone as (
    select
        decisions.affiliate_id,
        decisions.currency,
        sum(decisions.amount) as amount
    from decisions
    left join done on decisions.decision_id = done.cause_id
    where done.cause_id is null and decisions.amount is not null
    group by decisions.affiliate_id, decisions.currency
),

-- the newest statement includes what earlier ones left unpaid
newest as (
    select
        affiliate_id,
        currency,
        period,
        payable
    from statements
    qualify
        row_number() over (
            partition by affiliate_id, currency order by period desc, statement_number asc
        ) = 1
),

unpaid as (
    select
        affiliate_id,
        currency,
        max(statement_number) as statement_number
    from statements
    where payable > 0 and payout_id is null
    group by affiliate_id, currency
),

moved_since as (
    select
        newest.affiliate_id,
        newest.currency,
        -sum(posted.amount) as amount
    from newest
    inner join
        posted
        on
            newest.affiliate_id = posted.affiliate_id
            and newest.currency = posted.currency
            and newest.period < posted.period
    where
        posted.account = 'affiliate_payable'
        and posted.entry_type in ('payout', 'payout_reversal')
    group by newest.affiliate_id, newest.currency
),

figures as (
    select
        accounts.affiliate_id,
        accounts.currency,
        payees.name,
        payees.affiliate_status,
        payees.payout_currency,
        payees.minimum_payout,
        payees.payout_term,
        unpaid.statement_number,
        coalesce(balances.pending, 0) as pending,
        coalesce(balances.owed, 0) as owed,
        coalesce(under_way.amount, 0) as in_payment,
        least(
            newest.payable + coalesce(moved_since.amount, 0),
            coalesce(balances.owed, 0) + least(coalesce(undone.amount, 0), 0)
        ) - coalesce(under_way.amount, 0) as free
    from accounts
    inner join payees on accounts.affiliate_id = payees.affiliate_id
    {%- for name in ['balances', 'under_way', 'undone', 'newest', 'unpaid', 'moved_since'] %}
    left join
        {{ name }}
        on
            accounts.affiliate_id = {{ name }}.affiliate_id
            and accounts.currency = {{ name }}.currency
    {%- endfor %}
),

final as (
    select
        cast(affiliate_id as {{ varchar(256) }}) as affiliate_id,
        cast(currency as {{ varchar(3) }}) as currency,
        cast(name as {{ varchar(1024) }}) as name,
        cast(affiliate_status as {{ varchar(64) }}) as affiliate_status,
        cast(payout_currency as {{ varchar(3) }}) as payout_currency,
        minimum_payout,
        cast(payout_term as {{ varchar(64) }}) as payout_term,
        cast(pending as decimal(18, 2)) as pending,
        cast(owed as decimal(18, 2)) as owed,
        cast(in_payment as decimal(18, 2)) as in_payment,
        cast(
            case
                when
                    affiliate_status = 'active'
                    and statement_number is not null
                    and free > 0
                    and (free >= minimum_payout or currency <> payout_currency)
                    then free
                else 0
            end as decimal(18, 2)
        ) as payable,
        cast(coalesce(statement_number, '(none)') as {{ varchar(256) }}) as statement_number
    from figures
)

select * from final
