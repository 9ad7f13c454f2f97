{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__path_prints')) }}",
        "{{ forget_changed(ref('int_campaign__path_prints'), 'key_hash') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__path_prints')) }}"],
) }}

with touches as (
    select * from {{ ref('int_campaign__path_touches') }}
    where {{ is_changed('int_campaign__path_prints', row_hash(['path_key'])) }}
),

-- ' > ' stands between channels, so no name may hold '>'
final as (
    select
        {{ row_hash(['path_key']) }} as key_hash,
        {{ reporting_date('coalesce(min(ordered_at), max(occurred_at))') }} as ended_on,
        count(ordered_at) > 0 as is_order,
        {{ joined_text(
            "replace(replace(channel, '&', '&amp;'), '>', '&gt;')", ' > ', 'position'
        ) }} as path
    from touches
    group by path_id, path_key
)

select * from final
