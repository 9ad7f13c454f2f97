{% macro live_rows(relation, key) -%}
    select versions.*
    from (
        select
            source_rows.*,
            row_number() over (
                partition by _cell, {{ key | join(', ') }}
                order by _source_position desc, _load_id desc
            ) as version_number
        from {{ relation }} as source_rows
    ) as versions
    where versions.version_number = 1 and versions._deleted_at is null
{%- endmacro %}
