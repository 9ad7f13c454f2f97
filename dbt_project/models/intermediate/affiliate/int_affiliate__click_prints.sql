{%- set kinds = ['visitor', 'customer'] -%}

-- Most who click never buy: their clicks are not added up. Each kind reads the clicks itself: what
-- two read, DuckDB would write down first.
with {% for kind in kinds -%}
{{ kind }}s as (
    select distinct person_id
    from {{ ref('int_affiliate__order_keys') }}
    where person_kind = '{{ kind }}'
),

{{ kind }}_clicks as (
    select * from {{ ref('int_affiliate__judged_clicks') }}
    where validity in ('valid', 'self') and affiliate_id is not null
),

{{ kind }}_prints as (
    select
        {{ kind }}s.person_id,
        {{ rows_print(row_hash([
            'clicks.click_id', 'clicks.affiliate_id', 'clicks.occurred_at', 'clicks.validity',
            'clicks.validity_rule', 'clicks.is_reviewed', 'clicks.click_order_minimum_seconds',
        ])) }} as digest
    from {{ kind }}_clicks as clicks
    inner join {{ kind }}s on clicks.{{ kind }}_id = {{ kind }}s.person_id
    group by {{ kind }}s.person_id
),

{% endfor -%}
final as (
    {%- for kind in kinds %}
    {{ 'union all' if not loop.first }}
    select
        '{{ kind }} ' || person_id as click_key,
        '{{ kind }}' as person_kind,
        person_id,
        digest
    from {{ kind }}_prints
    {%- endfor %}
)

select * from final
