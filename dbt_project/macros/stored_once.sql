{% macro stored_once(relation, event_id, happened_at='occurred_at') -%}
with live as (
    {{ live_rows(relation, ['pk', 'sk']) }}
),

-- an event stored under two keys counts once, at the earlier one: sk begins with the time
stored as (
    select *
    from live
    qualify row_number() over (partition by _cell, coalesce({{ event_id }}, pk || sk) order by sk, pk) = 1
),

final as (
    select
        stored.*,
        {{ parsed_time('stored.' ~ happened_at) }} as due_at
    from stored
)

select * from final
{%- endmacro %}
