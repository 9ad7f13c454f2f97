{% macro last_delivered(relation, event_id) -%}
with repeated as (
    {{ repeated_ids(relation, event_id) }}
),

single as (
    {{ rows_of_single_ids(relation, event_id) }}
),

live as (
    select *
    from (
        {{ rows_of_repeated_ids(relation, event_id) }}
    ) as several
    qualify
        row_number() over (
            partition by _cell, {{ event_id }}, received_at
            order by _source_position desc, _load_id desc
        ) = 1
),

received as (
    select
        live.*,
        min({{ parsed_time('live.received_at') }}) over (
            partition by live._cell, live.{{ event_id }}
        ) as first_received_at
    from live
    where live._deleted_at is null
),

-- The last delivery of an event tells its content. Its receipt is the first one: a delivery that is
-- repeated days later must not move the event.
last_received as (
    select *
    from received
    qualify
        row_number() over (
            partition by _cell, {{ event_id }}
            order by received_at desc, _source_position desc, _load_id desc
        ) = 1
),

delivered as (
    select * from last_received
    union all
    select
        single.*,
        {{ parsed_time('single.received_at') }} as first_received_at
    from single
),

times_read as (
    select
        delivered.*,
        {{ parsed_time('delivered.occurred_at') }} as said_at
    from delivered
),

judged as (
    select
        times_read.*,
        times_read.first_received_at is not null and (
            times_read.said_at is null
            or times_read.said_at < times_read.first_received_at
            - interval '{{ var("event_may_precede_receipt_days") }} days'
            or times_read.said_at > times_read.first_received_at
            + interval '{{ var("event_may_follow_receipt_minutes") }} minutes'
        ) as is_time_replaced
    from times_read
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
