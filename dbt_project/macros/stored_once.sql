{% macro stored_once(relation, event_id, happened_at='occurred_at') -%}
{%- set identity = 'coalesce(' ~ event_id ~ ', pk || sk)' -%}
with repeated as (
    {{ repeated_ids(relation, identity) }}
),

single as (
    {{ rows_of_single_ids(relation, identity) }}
),

live as (
    select *
    from (
        {{ rows_of_repeated_ids(relation, identity) }}
    ) as several
    qualify
        row_number() over (
            partition by _cell, pk, sk order by _source_position desc, _load_id desc
        ) = 1
),

-- an event stored under two keys counts once, at the earlier one: sk begins with the time
stored as (
    select *
    from live
    where _deleted_at is null
    qualify row_number() over (partition by _cell, {{ identity }} order by sk, pk) = 1
),

unioned as (
    select * from stored
    union all
    select * from single
),

final as (
    select
        unioned.*,
        {{ parsed_time('unioned.' ~ happened_at) }} as due_at
    from unioned
)

select * from final
{%- endmacro %}
