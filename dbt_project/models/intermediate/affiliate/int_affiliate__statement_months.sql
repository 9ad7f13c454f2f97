with movements as (select * from {{ ref('int_affiliate__balance_movements') }}),

plans as (select * from {{ ref('stg_affiliate__commission_plans') }}),

rules as (select * from {{ ref('int_affiliate__rules') }}),

closed as (select * from {{ source('ledger', 'statements') }}),

numbers as (select * from {{ ref('int_core__numbers') }}),

bounds as (
    select
        min(period) as first_period,
        -- a payment may be told in a month that no version is as of yet
        greatest(max(period), {{ as_of_date() }}) as last_date
    from movements
),

last_closed as (select max(period) as period from closed),

days as (
    select
        bounds.first_period + numbers.day_number as date_day,
        bounds.last_date
    from bounds
    cross join numbers
),

months as (
    select distinct cast(date_trunc('month', date_day) as date) as period
    from days
    where date_day <= last_date
),

following as (
    select
        period,
        cast(date_trunc('month', period + 31) as date) as next_period
    from months
),

-- plans count as long as an order of the month may be theirs
longest as (
    select
        following.period,
        max(plans.hold_days) as hold_days
    from following
    inner join
        plans
        on
            plans.valid_from < {{ day_start('following.next_period') }}
            and coalesce(plans.valid_to > {{ day_start('following.period') }}, true)
    group by following.period
),

delivered as (
    select
        following.period,
        max(rules.delivery_days) as delivery_days
    from following
    inner join
        rules
        on
            following.next_period > rules.valid_from
            and following.period < rules.valid_before
    group by following.period
),

final as (
    select
        following.period,
        {{ day_start('following.next_period') }}
        + (coalesce(longest.hold_days, 0) + coalesce(delivered.delivery_days, 0))
        * interval '1 day' as closable_at,
        following.period <= coalesce(last_closed.period, date '1900-01-01') as is_closed
    from following
    cross join last_closed
    left join longest on following.period = longest.period
    left join delivered on following.period = delivered.period
)

select * from final
