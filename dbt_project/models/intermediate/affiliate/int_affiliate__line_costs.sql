with due as (
    select * from {{ ref('int_affiliate__commission_due') }}
    where order_line_id <> '(none)'
),

order_lines as (select * from {{ ref('int_core__order_lines') }}),

order_rates as (select * from {{ ref('int_finance__order_rates') }}),

rates as (select * from {{ ref('int_finance__rates') }}),

earned as (
    select
        order_line_id,
        affiliate_id,
        currency,
        cast(sum(amount) as decimal(18, 2)) as amount
    from due
    group by order_line_id, affiliate_id, currency
),

rated as (
    select
        earned.order_line_id,
        earned.affiliate_id,
        earned.currency,
        order_lines.order_date,
        earned.amount,
        {{ reporting_rate('earned.currency', 'rates.rate') }} as rate
    from earned
    inner join order_lines on earned.order_line_id = order_lines.order_line_id
    inner join order_rates on order_lines.order_id = order_rates.order_id
    left join
        rates
        on earned.currency = rates.currency and order_rates.rate_date = rates.rate_date
    where earned.amount <> 0
),

final as (
    select
        order_line_id,
        affiliate_id,
        currency,
        order_date,
        amount,
        {{ reporting_amount('amount', 'rate') }} as reporting_amount
    from rated
)

select * from final
