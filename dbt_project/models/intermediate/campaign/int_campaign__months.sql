-- Read from the base, so that a row that fails staging's tests hides no month from a later as_of; a
-- time that cannot be is of no month.
with orders as (
    select * from {{ ref('base_shop__orders') }}
    where ordered_at between timestamp '1900-01-01' and timestamp '9999-01-01'
),

months as (
    select distinct
        cast(date_trunc('month', {{ reporting_date('ordered_at') }}) as date) as period
    from orders
),

final as (
    select
        period,
        {{ final_at('period') }} as due_at
    from months
)

select * from final
