with candidates as (
    select * from {{ ref('int_recommendation__candidates') }}
    where exclusion is not null
),

dated as (
    select
        {{ reporting_date('occurred_at') }} as report_date,
        kind,
        exclusion as reason
    from candidates
),

final as (
    select
        report_date,
        cast(kind as {{ varchar(64) }}) as kind,
        cast(reason as {{ varchar(64) }}) as reason,
        count(*) as interaction_count
    from dated
    group by report_date, kind, reason
)

select * from final
