with events as (
    select * from {{ ref('int_core__visitor_events') }}
    where visitor_key is not null
),

final as (
    select
        {{ row_hash(['visitor_key']) }} as key_hash,
        {{ rows_print(row_hash([
            'source_rank', 'event_id', 'event_type', 'is_session_event', 'cell', 'occurred_at',
            'visitor_id', 'customer_id', 'channel', 'campaign_id', 'landing_page',
            'age_band', 'gender', 'country', 'device',
        ])) }} as digest
    from events
    group by {{ row_hash(['visitor_key']) }}
)

select * from final
