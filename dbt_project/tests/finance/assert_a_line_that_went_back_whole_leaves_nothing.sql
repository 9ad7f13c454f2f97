-- refunds that name a line take its rate: what went back whole leaves no exchange difference
with named as (
    select
        order_line_id,
        currency,
        sum(source_amount) as source_amount,
        sum(amount) as amount
    from {{ ref('int_core__refunds') }}
    where order_line_id is not null
    group by order_line_id, currency
)

select
    order_lines.order_line_id,
    order_lines.source_amount,
    order_lines.line_amount,
    named.amount as refunded_amount
from {{ ref('int_core__order_lines') }} as order_lines
inner join
    named
    on
        order_lines.order_line_id = named.order_line_id
        and order_lines.currency = named.currency
        and order_lines.source_amount = named.source_amount
where order_lines.line_amount <> named.amount
