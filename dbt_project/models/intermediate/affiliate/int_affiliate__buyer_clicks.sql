{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_affiliate__click_prints'), 'click_key') }}",
        "{{ forget_changed(ref('int_affiliate__click_prints'), 'click_key', 'click_key') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_affiliate__click_prints'), 'click_key') }}"],
) }}
{%- set kinds = ['visitor', 'customer'] -%}

with people as (
    select * from {{ ref('int_affiliate__click_prints') }}
    where {{ is_changed('int_affiliate__click_prints', 'click_key', 'click_key') }}
),

-- what two read, DuckDB would write down first
{% for kind in kinds -%}
{{ kind }}_clicks as (
    select * from {{ ref('int_affiliate__judged_clicks') }}
    where validity in ('valid', 'self') and affiliate_id is not null
),

{% endfor -%}
-- an order seconds after its click was under way before: who clicked may have been made to
final as (
    {%- for kind in kinds %}
    {{ 'union all' if not loop.first }}
    select
        people.click_key,
        clicks.affiliate_id,
        clicks.click_id,
        clicks.occurred_at,
        clicks.occurred_at
        + case
            when clicks.is_reviewed then 0 else coalesce(clicks.click_order_minimum_seconds, 0)
        end * interval '1 second' as too_soon_until
    from {{ kind }}_clicks as clicks
    inner join people on clicks.{{ kind }}_id = people.person_id
    where people.person_kind = '{{ kind }}'
    {%- endfor %}
)

select * from final
