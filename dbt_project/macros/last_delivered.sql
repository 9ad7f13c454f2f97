{% macro last_delivered(relation, event_id) -%}
with live as (
    {{ live_rows(relation, [event_id, 'received_at']) }}
),

times_read as (
    select
        live.*,
        {{ parsed_time('live.occurred_at') }} as said_at,
        min({{ parsed_time('live.received_at') }}) over (
            partition by live._cell, live.{{ event_id }}
        ) as first_received_at
    from live
),

-- The last delivery of an event tells its content. Its receipt is the first one: a delivery that is
-- repeated days later must not move the event.
delivered as (
    select *
    from times_read
    qualify
        row_number() over (
            partition by _cell, {{ event_id }}
            order by received_at desc, _source_position desc, _load_id desc
        ) = 1
),

judged as (
    select
        delivered.*,
        delivered.first_received_at is not null and (
            delivered.said_at is null
            or delivered.said_at < delivered.first_received_at
            - interval '{{ var("event_may_precede_receipt_days") }} days'
            or delivered.said_at > delivered.first_received_at
            + interval '{{ var("event_may_follow_receipt_minutes") }} minutes'
        ) as is_time_replaced
    from delivered
),

final as (
    select
        judged.*,
        case when judged.is_time_replaced then judged.first_received_at else judged.said_at end
            as due_at
    from judged
)

select * from final
{%- endmacro %}
