with orders as (select * from {{ ref('int_core__orders') }}),

refunds as (select * from {{ ref('int_core__refunds') }}),

sessions as (select * from {{ ref('int_core__sessions') }}),

campaign_events as (select * from {{ ref('stg_campaign__events') }}),

spend as (select * from {{ ref('stg_campaign__spend') }}),

stock as (select * from {{ ref('int_core__stock_movements') }}),

-- only the first and the last of each: the day of every event would be looked up for nothing
used_days as (
    select
        min(order_date) as first_used_day,
        max(order_date) as last_used_day
    from orders
    union all
    select
        min(refund_date) as first_used_day,
        max(refund_date) as last_used_day
    from refunds
    union all
    select
        min(session_date) as first_used_day,
        max(session_date) as last_used_day
    from sessions
    union all
    select
        {{ reporting_date('min(occurred_at)') }} as first_used_day,
        {{ reporting_date('max(occurred_at)') }} as last_used_day
    from campaign_events
    union all
    select
        min(spend_date) as first_used_day,
        max(spend_date) as last_used_day
    from spend
    union all
    select
        min(movement_date) as first_used_day,
        max(movement_date) as last_used_day
    from stock
    union all
    -- stock is counted until today
    select
        {{ as_of_date() }} as first_used_day,
        {{ as_of_date() }} as last_used_day
    from stock
),

-- whole years around what was used, so that the calendar depends on the data alone
bounds as (
    select
        cast(date_trunc('year', min(first_used_day)) as date) as first_day,
        extract(year from max(last_used_day)) as last_year
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
