{#- Most events are one row: only where an id has several is there anything to compare, and to sort.
    To sort all of them, as wide as they are, took a third of staging's time. The other two macros
    read these ids as `repeated`. -#}
{% macro repeated_ids(relation, event_id) -%}
    select
        coalesce(_cell, '') as repeated_cell,
        coalesce({{ event_id }}, '') as repeated_id
    from {{ relation }}
    group by coalesce(_cell, ''), coalesce({{ event_id }}, '')
    having count(*) > 1
{%- endmacro %}

{% macro rows_of_single_ids(relation, event_id) -%}
    select source_rows.*
    from {{ relation }} as source_rows
    left join
        repeated
        on
            coalesce(source_rows._cell, '') = repeated.repeated_cell
            and coalesce({{ event_id }}, '') = repeated.repeated_id
    where repeated.repeated_id is null and source_rows._deleted_at is null
{%- endmacro %}

{% macro rows_of_repeated_ids(relation, event_id) -%}
    select source_rows.*
    from {{ relation }} as source_rows
    inner join
        repeated
        on
            coalesce(source_rows._cell, '') = repeated.repeated_cell
            and coalesce({{ event_id }}, '') = repeated.repeated_id
{%- endmacro %}
