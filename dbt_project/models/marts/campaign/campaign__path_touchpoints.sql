with touches as (select * from {{ ref('int_campaign__path_touches') }}),

final as (
    select
        path_id,
        cast(position as integer) as position,
        touchpoint_id,
        channel,
        campaign_id,
        occurred_at,
        cast(touch_count as integer) as touch_count
    from touches
)

select * from final
