with orders as (select * from {{ ref('int_core__orders') }}),

refunds as (select * from {{ ref('int_core__refunds') }}),

sessions as (select * from {{ ref('int_core__sessions') }}),

campaign_events as (select * from {{ ref('stg_campaign__events') }}),

spend as (select * from {{ ref('stg_campaign__spend') }}),

stock as (select * from {{ ref('int_core__stock_movements') }}),

used_days as (
    select order_date as used_day from orders
    union
    select refund_date as used_day from refunds
    union
    select session_date as used_day from sessions
    union
    select {{ reporting_date('occurred_at') }} as used_day from campaign_events
    union
    select spend_date as used_day from spend
    union
    select movement_date as used_day from stock
    union
    select {{ as_of_date() }} as used_day from stock
),

-- whole years around what was used, so that the calendar depends on the data alone
bounds as (
    select
        cast(date_trunc('year', min(used_day)) as date) as first_day,
        extract(year from max(used_day)) as last_year
    from used_days
),

numbers as (select * from {{ ref('int_core__numbers') }}),

days as (
    select
        bounds.first_day + numbers.day_number as date_day,
        bounds.last_year
    from bounds
    cross join numbers
),

final as (
    select date_day
    from days
    where extract(year from date_day) <= last_year
)

select * from final
