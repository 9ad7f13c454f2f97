-- The sources are read one after the other, and people and products get deleted: only warned of.
{{ config(severity='warn') }}

select
    raw_entity,
    row_key,
    column_name,
    unknown_id
from {{ ref('int_meta__unknown_references') }}
