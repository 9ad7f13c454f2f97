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
        order_id,
        case when order_id is null then 'none' else 'order' end as outcome,
        min(occurred_at) as started_at,
        coalesce(max(ordered_at), max(occurred_at)) as ended_at,
        count(*) as touchpoint_count
    from touches
    group by path_id, order_id
)

select * from final
