with periods as (select * from {{ source('solved', 'restated_periods') }}),

final as (
    select
        period,
        cast(reason as {{ varchar(1024) }}) as reason
    from periods
)

select * from final
