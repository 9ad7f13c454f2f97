with paths as (select * from {{ ref('int_campaign__path_channels') }}),

final as (
    select
        ended_on,
        path,
        count(case when is_order then 1 end) as order_count,
        count(case when not is_order then 1 end) as none_count
    from paths
    group by ended_on, path
)

select * from final
