{%- set wanted = [
    'rule_rank', 'rule_name', 'channel', 'source', 'source_kind', 'medium', 'medium_kind',
    'campaign', 'click_id', 'valid_from', 'valid_to',
] -%}
{%- set rules = ref('channel_rules') -%}

with wanted as (
    {%- for column in wanted %}
    select '{{ column }}' as column_name
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

found as (
    select lower(column_name) as column_name
    from information_schema.columns
    where
        table_catalog = '{{ rules.database }}'
        and table_schema = '{{ rules.schema }}'
        and table_name = '{{ rules.identifier }}'
)

select
    coalesce(wanted.column_name, found.column_name) as column_name,
    case
        when wanted.column_name is null
            then
                'channel_rules.csv has a column ' || found.column_name || ', which is none of its '
                || 'conditions: take it out, or spell it as docs/reference/channel-rules.md does'
        else
            'channel_rules.csv has no column ' || wanted.column_name || ': add it, empty where a '
            || 'rule does not ask for it'
    end as problem
from wanted
full outer join found on wanted.column_name = found.column_name
where wanted.column_name is null or found.column_name is null
