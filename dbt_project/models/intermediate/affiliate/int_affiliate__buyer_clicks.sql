{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_affiliate__click_prints'), 'click_key') }}",
        "{{ forget_changed(ref('int_affiliate__click_prints'), 'click_key', 'click_key') }}",
        "{{ forget_changed_days('click_day') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_affiliate__click_prints'), 'click_key') }}"],
) }}
{%- set parts = ['news', 'others'] if is_update() else ['all'] -%}

with
{% if is_update() -%}
times as ({{ changed_times() }}),

news as (
    select clicks.*
    from {{ ref('int_affiliate__judged_clicks') }} as clicks
    inner join
        times
        on clicks.occurred_at >= times.first_at and clicks.occurred_at < times.before_at
    where
        clicks.validity in ('valid', 'self')
        and clicks.affiliate_id is not null
        and {{ utc_day('clicks.occurred_at') }} in ({{ changed_days() }})
),

{% endif -%}
-- Clicks and people are read by each that needs them: what two read, DuckDB would write down first.
-- An order seconds after its click was under way before: who clicked may have been made to.
{% for kind in ['visitor', 'customer'] -%}
{{ kind }}_clicks as (
    select * from {{ ref('int_affiliate__judged_clicks') }}
    where validity in ('valid', 'self') and affiliate_id is not null
),

{% for part in parts -%}
{{ kind }}_{{ part }} as (
    select
        people.click_key,
        {{ utc_day('clicks.occurred_at') }} as click_day,
        clicks.affiliate_id,
        clicks.click_id,
        clicks.occurred_at,
        clicks.validity,
        clicks.validity_rule,
        clicks.occurred_at
        + case
            when clicks.is_reviewed then 0 else coalesce(clicks.click_order_minimum_seconds, 0)
        end * interval '1 second' as too_soon_until
    from {{ part if part == 'news' else kind ~ '_clicks' }} as clicks
    inner join
        {{ ref('int_affiliate__click_prints') }} as people
        on clicks.{{ kind }}_id = people.person_id
    where
        people.person_kind = '{{ kind }}'
        and {{ 'true' if part == 'news'
            else is_changed('int_affiliate__click_prints', 'people.click_key', 'click_key') }}
),

{% endfor -%}
{% endfor -%}
-- of new people all clicks: those of changed days are in everybody's
final as (
    {%- set union = joiner('union all') %}
    {%- for kind in ['visitor', 'customer'] %}
    {%- for part in parts %}
    {{ union() }}
    select * from {{ kind }}_{{ part }}
    {%- if part == 'others' %}
    where click_day not in ({{ changed_days() }})
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
)

select * from final
