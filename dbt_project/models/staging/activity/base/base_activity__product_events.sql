with live as (
    {{ live_rows(source('raw_activity', 'product_events'), ['pk', 'sk']) }}
),

-- an event stored under two keys counts once, at the earlier one: sk begins with the time
stored_once as (
    select *
    from live
    qualify row_number() over (partition by _cell, event_id order by sk, pk) = 1
),

final as (
    select
        stored_once.*,
        {{ parsed_time('stored_once.occurred_at') }} as due_at
    from stored_once
)

select * from final
