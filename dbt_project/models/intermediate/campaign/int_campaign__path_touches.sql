{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__path_prints')) }}",
        "{{ forget_changed(ref('int_campaign__path_prints'), row_hash(['path_key'])) }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__path_prints')) }}"],
) }}
with touches as (
    select * from {{ ref('int_campaign__judged_touches') }}
    where
        rule = 'considered'
        and {{ is_changed('int_campaign__path_prints', row_hash(['path_key'])) }}
),

final as (
    select
        path_key,
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
