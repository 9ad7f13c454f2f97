with days as (select * from {{ ref('int_core__days') }}),

final as (
    select
        date_day,
        cast(extract(week from date_day) as integer) as iso_week,
        cast(date_trunc('month', date_day) as date) as month_start,
        cast(date_trunc('quarter', date_day) as date) as quarter_start,
        cast(extract(year from date_day) as integer) as year
    from days
)

select * from final
