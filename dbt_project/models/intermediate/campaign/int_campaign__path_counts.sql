with touches as (select * from {{ ref('int_campaign__path_touches') }}),

-- ' > ' stands between channels, so no name may hold '>'
paths as (
    select
        path_id,
        {{ reporting_date('coalesce(min(ordered_at), max(occurred_at))') }} as ended_on,
        count(ordered_at) as order_touches,
        {{ joined_text(
            "replace(replace(channel, '&', '&amp;'), '>', '&gt;')", ' > ', 'position'
        ) }} as path
    from touches
    group by path_id
),

final as (
    select
        ended_on,
        path,
        count(case when order_touches > 0 then 1 end) as order_count,
        count(case when order_touches = 0 then 1 end) as none_count
    from paths
    group by ended_on, path
)

select * from final
