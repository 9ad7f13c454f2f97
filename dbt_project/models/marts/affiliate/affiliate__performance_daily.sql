with clicks as (select * from {{ ref('int_affiliate__judged_clicks') }}),

commissions as (
    select * from {{ ref('int_affiliate__commissions') }}
    where reason is null
),

commission_due as (select * from {{ ref('int_affiliate__commission_due') }}),

affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

clicked as (
    select
        {{ reporting_date('clicks.occurred_at') }} as report_date,
        coalesce(clicks.affiliate_id, '(none)') as affiliate_id,
        coalesce(affiliates.payout_currency, '(unknown)') as currency,
        count(*) as clicks,
        count(case when clicks.validity = 'valid' then 1 end) as valid_clicks
    from clicks
    left join affiliates on clicks.affiliate_id = affiliates.affiliate_id
    group by
        {{ reporting_date('clicks.occurred_at') }},
        coalesce(clicks.affiliate_id, '(none)'),
        coalesce(affiliates.payout_currency, '(unknown)')
),

sold as (
    select
        {{ reporting_date('ordered_at') }} as report_date,
        affiliate_id,
        currency,
        count(distinct order_id) as orders,
        sum(reporting_line_amount) as sales,
        sum(commission_amount) as commission
    from commissions
    group by {{ reporting_date('ordered_at') }}, affiliate_id, currency
),

-- what a refund or a lost chargeback takes back counts on the day of its order
reversed as (
    select
        {{ reporting_date('commissions.ordered_at') }} as report_date,
        commission_due.affiliate_id,
        commission_due.currency,
        -sum(commission_due.amount) as reversed_commission
    from commission_due
    inner join
        commissions
        on
            commission_due.order_line_id = commissions.order_line_id
            and commission_due.affiliate_id = commissions.affiliate_id
            and commission_due.currency = commissions.currency
    where commission_due.cause_type in ('refund', 'chargeback')
    group by
        {{ reporting_date('commissions.ordered_at') }},
        commission_due.affiliate_id,
        commission_due.currency
),

days as (
    select
        report_date,
        affiliate_id,
        currency
    from clicked
    union
    select
        report_date,
        affiliate_id,
        currency
    from sold
),

counted as (
    select
        days.report_date,
        days.affiliate_id,
        days.currency,
        coalesce(clicked.clicks, 0) as clicks,
        coalesce(clicked.valid_clicks, 0) as valid_clicks,
        coalesce(sold.orders, 0) as orders,
        coalesce(sold.sales, 0) as sales,
        coalesce(sold.commission, 0) as commission,
        coalesce(reversed.reversed_commission, 0) as reversed_commission
    from days
    left join
        clicked
        on
            days.report_date = clicked.report_date
            and days.affiliate_id = clicked.affiliate_id
            and days.currency = clicked.currency
    left join
        sold
        on
            days.report_date = sold.report_date
            and days.affiliate_id = sold.affiliate_id
            and days.currency = sold.currency
    left join
        reversed
        on
            days.report_date = reversed.report_date
            and days.affiliate_id = reversed.affiliate_id
            and days.currency = reversed.currency
),

final as (
    select
        report_date,
        cast(affiliate_id as {{ varchar(256) }}) as affiliate_id,
        cast(currency as {{ varchar(64) }}) as currency,
        clicks,
        valid_clicks,
        orders,
        cast(sales as decimal(18, 4)) as sales,
        cast(commission as decimal(18, 2)) as commission,
        cast(reversed_commission as decimal(18, 2)) as reversed_commission,
        cast(commission - reversed_commission as decimal(18, 2)) as net_commission,
        {{ ratio('commission', 'valid_clicks') }} as epc,
        {{ ratio('orders', 'valid_clicks') }} as conversion_rate,
        {{ ratio('reversed_commission', 'commission') }} as reversal_rate
    from counted
)

select * from final
