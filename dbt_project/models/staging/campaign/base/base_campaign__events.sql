with delivered as (
    {{ last_delivered(source('raw_activity', 'campaign_events'), 'event_id') }}
),

-- not every shop keeps what its visitors' programs call themselves
final as (
    select
        delivered.*
        {{- optional_column(source('raw_activity', 'campaign_events'), 'user_agent') }}
    from delivered
)

select * from final
