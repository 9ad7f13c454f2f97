{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__path_versions')) }}",
        "{{ forget_changed(ref('int_campaign__path_versions'), row_hash(['path_id'])) }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__path_versions')) }}"],
) }}
with touches as (
    select * from {{ ref('int_campaign__path_touches') }}
    where {{ is_changed('int_campaign__path_versions', row_hash(['path_id'])) }}
),

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
