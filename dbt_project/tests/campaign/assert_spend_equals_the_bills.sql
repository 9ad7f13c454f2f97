-- in the reporting currency, bill by bill; a bill without a rate is left out and counted
with activity as (
    select coalesce(sum(spend), 0) as amount
    from {{ ref('campaign__activity_daily') }}
),

bills as (
    select
        coalesce(sum({{ reporting_amount('spend.amount', 'rates.rate') }}), 0) as amount,
        count(*) as row_count
    from {{ ref('stg_campaign__spend') }} as spend
    inner join
        {{ ref('int_finance__spend_rates') }} as rates
        on spend.spend_date = rates.spend_date and spend.campaign_id = rates.campaign_id
    where rates.rate is not null
),

staged as (
    select
        count(*) as row_count,
        sum(case when currency = '{{ var("reporting_currency") }}' then amount else 0 end)
            as reporting_currency_amount,
        count(case when currency <> '{{ var("reporting_currency") }}' then 1 end)
            as foreign_row_count
    from {{ ref('stg_campaign__spend') }}
),

unconverted as (
    select count(*) as row_count
    from {{ ref('int_meta__unconverted') }}
    where kind = 'spend'
)

select
    activity.amount as activity_spend,
    bills.amount as billed,
    bills.row_count as billed_rows,
    staged.row_count as staging_rows,
    staged.reporting_currency_amount,
    unconverted.row_count as unconverted_rows
from activity
cross join bills
cross join staged
cross join unconverted
where
    activity.amount <> bills.amount
    or staged.row_count <> bills.row_count + unconverted.row_count
    or (
        staged.foreign_row_count = 0
        and activity.amount <> coalesce(staged.reporting_currency_amount, 0)
    )
