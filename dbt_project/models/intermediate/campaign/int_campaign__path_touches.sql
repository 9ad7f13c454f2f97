with touches as (
    select * from {{ ref('int_campaign__judged_touches') }}
    where rule = 'considered'
),

final as (
    select
        md5(path_name) as path_id,
        row_number() over (
            partition by path_name order by occurred_at, source_rank, event_id
        ) as position,
        touchpoint_id,
        channel,
        campaign_id,
        occurred_at,
        order_id,
        ordered_at,
        touch_count
    from touches
)

select * from final
