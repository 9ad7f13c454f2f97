{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_affiliate__earning_prints'), 'order_id') }}",
        "{{ forget_changed(ref('int_affiliate__earning_prints'), 'order_id', 'order_id') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_affiliate__earning_prints'), 'order_id') }}"],
) }}
with sources as (
    select * from {{ ref('int_affiliate__sources') }}
    where {{ is_changed('int_affiliate__earning_prints', 'order_id', 'order_id') }}
),

affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

order_rates as (select * from {{ ref('int_finance__order_rates') }}),

rates as (select * from {{ ref('int_finance__rates') }}),

entries as (
    select * from {{ source('ledger', 'entries') }}
    where account = 'commission_expense' and order_line_id <> '(none)'
),

-- what a line was first posted with stays its own, the currency too: in another one it would be
-- paid again
first_posted as (
    select
        entries.order_line_id,
        entries.affiliate_id,
        entries.currency,
        entries.fx_rate
    from entries
    inner join sources on entries.order_line_id = sources.order_line_id
    where entries.fx_rate is not null
    qualify
        row_number() over (
            partition by entries.order_line_id, entries.affiliate_id
            order by entries.posted_at, entries.entry_id
        ) = 1
),

paid as (
    select
        sources.order_line_id,
        sources.order_id,
        sources.affiliate_id,
        order_rates.currency as order_currency,
        coalesce(
            first_posted.currency, affiliates.payout_currency, '{{ var("reporting_currency") }}'
        ) as currency,
        first_posted.fx_rate as posted_fx_rate,
        order_rates.rate,
        order_rates.rate_date
    from sources
    inner join order_rates on sources.order_id = order_rates.order_id
    left join affiliates on sources.affiliate_id = affiliates.affiliate_id
    left join
        first_posted
        on
            sources.order_line_id = first_posted.order_line_id
            and sources.affiliate_id = first_posted.affiliate_id
),

-- hundred-millionths of the reporting currency
quoted_units as (
    select
        paid.order_line_id,
        paid.order_id,
        paid.order_currency,
        paid.currency,
        paid.posted_fx_rate,
        cast(cast(paid.rate as decimal(28, 8)) * 100000000 as decimal(19, 0)) as order_rate,
        cast(
            cast({{ reporting_rate('paid.currency', 'rates.rate') }} as decimal(28, 8)) * 100000000
            as decimal(19, 0)
        ) as payout_rate
    from paid
    left join rates on paid.currency = rates.currency and paid.rate_date = rates.rate_date
),

-- units of the payout currency for one of the order's, rounded half up to 8 places
quoted as (
    select
        *,
        case
            when order_currency = currency then cast(1 as decimal(18, 8))
            when payout_rate > 0
                then
                    cast(
                        cast(
                            {{ whole_quotient(
                                'order_rate * 200000000 + payout_rate', '2 * payout_rate'
                            ) }} as decimal(18, 0)
                        ) * cast(0.00000001 as decimal(9, 8)) as decimal(18, 8)
                    )
        end as fx_rate
    from quoted_units
),

final as (
    select
        quoted.order_line_id,
        quoted.order_id,
        quoted.order_currency,
        quoted.currency,
        coalesce(quoted.posted_fx_rate, quoted.fx_rate) as fx_rate,
        case
            when quoted.fx_rate is null and quoted.posted_fx_rate is null then null
            when coalesce(quoted.posted_fx_rate = quoted.fx_rate, quoted.posted_fx_rate is null)
                then 'order_date'
            else 'first_posted'
        end as fx_rule
    from quoted
)

select * from final
