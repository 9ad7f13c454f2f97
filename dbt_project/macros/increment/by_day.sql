{#- A table of what happens on days, for some people: of a day that changed, everybody's rows are
    made anew, and all rows of whoever was none of these people. One list of prints has both: a
    day's key is `day` and its number since 1970 in UTC, a person's is his own. -#}
{% macro changed_days() -%}
    select cast(substring(changed_key, 5) as integer) as changed_day
    from {{ keys_to_make() }}
    where changed_key like 'day %'
{%- endmacro %}

{#- From the first of the changed days to their last: of these times alone rows are read. -#}
{% macro changed_times() -%}
    select
        timestamptz '1970-01-01 00:00:00+00' + min(changed_day) * 24 * interval '1 hour'
            as first_at,
        timestamptz '1970-01-01 00:00:00+00' + (max(changed_day) + 1) * 24 * interval '1 hour'
            as before_at
    from ({{ changed_days() }}) as changed
{%- endmacro %}

{% macro forget_changed_days(column) -%}
    {%- if is_update() -%}
        delete from {{ this }}
        where {{ column }} in ({{ changed_days() }})
    {%- endif -%}
{%- endmacro %}
