with days as (
    select
        report_date,
        {{ rows_print('digest') }} as digest
    from {{ ref('int_campaign__audience') }}
    group by report_date
),

final as (
    select
        cast(date_trunc('month', report_date) as date) as month_start,
        cast(sum(digest) as decimal(38, 0)) as digest
    from days
    group by cast(date_trunc('month', report_date) as date)
)

select * from final
