with evaluation as (select * from {{ source('solved', 'recommender_evaluation') }}),

final as (
    select
        cast(recommender as {{ varchar(64) }}) as recommender,
        cast(metric as {{ varchar(64) }}) as metric,
        k,
        value,
        lower,
        upper,
        asked as asked_count,
        window_start,
        window_end - 1 as window_last_date,
        recommender = chosen as is_published,
        cast(status as {{ varchar(64) }}) as status,
        cast(reason as {{ varchar(1024) }}) as reason
    from evaluation
)

select * from final
