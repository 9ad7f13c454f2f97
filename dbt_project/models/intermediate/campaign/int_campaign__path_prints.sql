with sessions as (select * from {{ ref('int_core__sessions') }}),

conversions as (select * from {{ ref('int_campaign__conversions') }}),

-- the settings that a path depends on are of its days, and a change of them is one of the project
steps as (
    select
        {{ row_hash(['path_key']) }} as key_hash,
        {{ row_hash([
            'session_id', 'started_at', 'source_rank', 'event_id', 'channel', 'campaign_id',
        ]) }} as step_hash
    from sessions
    union all
    select
        {{ row_hash(['path_key']) }} as key_hash,
        {{ row_hash(['order_id', 'ordered_at', 'order_date']) }} as step_hash
    from conversions
    where path_key is not null
),

final as (
    select
        key_hash,
        {{ rows_print('step_hash') }} as digest
    from steps
    group by key_hash
)

select * from final
