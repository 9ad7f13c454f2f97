{%- set kinds = ['line', 'affiliate'] -%}

-- Each kind reads the lines itself: what two read, DuckDB would write down first.
with {% for kind in kinds -%}
{{ kind }}_lines as (
    select
        order_line_id,
        order_id,
        affiliate_id,
        ordered_at,
        (delivery_days + coalesce(hold_days, 0)) * interval '1 day' as held_for
    from {{ ref('int_affiliate__earnings') }}
),

{{ kind }}_decisions as (
    select * from {{ source('ledger', 'decisions') }}
    where
        kind = 'extend_hold'
        and effective_at <= {{ as_of() }}
        and order_line_id {{ '<>' if kind == 'line' else '=' }} '(none)'
),

{% endfor -%}
-- of an affiliate whose hold is extended, the lines that were still in it
decided as (
    select
        line_lines.order_line_id,
        line_lines.order_id,
        line_decisions.days
    from line_lines
    inner join line_decisions on line_lines.order_line_id = line_decisions.order_line_id
    union all
    select
        affiliate_lines.order_line_id,
        affiliate_lines.order_id,
        affiliate_decisions.days
    from affiliate_lines
    inner join
        affiliate_decisions
        on affiliate_lines.affiliate_id = affiliate_decisions.affiliate_id
    where
        affiliate_lines.ordered_at <= affiliate_decisions.effective_at
        and affiliate_lines.ordered_at + affiliate_lines.held_for
        > affiliate_decisions.effective_at
),

final as (
    select
        order_line_id,
        order_id,
        cast(sum(days) as integer) as extension_days
    from decided
    group by order_line_id, order_id
)

select * from final
