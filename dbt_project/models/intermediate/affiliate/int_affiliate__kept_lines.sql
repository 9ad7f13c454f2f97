with entries as (
    select * from {{ source('ledger', 'entries') }}
    where order_line_id <> '(none)'
),

affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

gone as (
    select entries.*
    from entries
    left join affiliates on entries.affiliate_id = affiliates.affiliate_id
    where affiliates.affiliate_id is null
),

-- by the order, before refunds and chargebacks: these still take what is theirs
posted as (
    select
        order_line_id,
        affiliate_id,
        cast(
            sum(
                case
                    when account = 'commission_expense' and cause_type = 'order' then amount else 0
                end
            ) as decimal(18, 2)
        ) as commission_amount,
        max(case when entry_type = 'maturity' then 1 else 0 end) as is_matured
    from gone
    group by order_line_id, affiliate_id
),

last_rates as (
    select
        order_line_id,
        affiliate_id,
        rate
    from gone
    where rate is not null
    qualify
        row_number() over (
            partition by order_line_id, affiliate_id order by posted_at desc, entry_id asc
        ) = 1
),

final as (
    select
        posted.order_line_id,
        posted.affiliate_id,
        posted.commission_amount,
        last_rates.rate,
        posted.is_matured = 1 as is_matured
    from posted
    inner join
        last_rates
        on
            posted.order_line_id = last_rates.order_line_id
            and posted.affiliate_id = last_rates.affiliate_id
    where posted.commission_amount > 0
    qualify
        row_number() over (
            partition by posted.order_line_id
            order by posted.commission_amount desc, posted.affiliate_id asc
        ) = 1
)

select * from final
