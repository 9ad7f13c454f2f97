with order_lines as (select * from {{ ref('int_core__order_lines') }}),

refunds as (select * from {{ ref('int_core__refunds') }}),

-- a line that is named, or that a refund without a reference could mean
named_lines as (
    select order_lines.order_line_id
    from order_lines
    inner join refunds on order_lines.order_line_id = refunds.order_line_id
),

named_orders as (
    select order_lines.order_line_id
    from order_lines
    inner join
        refunds
        on
            order_lines.order_id = refunds.order_id
            and order_lines.product_code = refunds.product_code
),

candidates as (
    select order_lines.order_line_id
    from order_lines
    inner join
        refunds
        on
            order_lines.customer_id = refunds.customer_id
            and order_lines.product_code = refunds.product_code
            and order_lines.currency = refunds.currency
            and order_lines.source_unit_price = refunds.source_unit_price
            and order_lines.ordered_at <= refunds.refunded_at
    where order_lines.line_kind = 'product'
),

wanted as (
    select order_line_id from named_lines
    union
    select order_line_id from named_orders
    union
    select order_line_id from candidates
),

final as (
    select
        order_lines.order_line_id,
        order_lines.order_id,
        order_lines.customer_id,
        order_lines.product_code,
        order_lines.line_kind,
        order_lines.currency,
        order_lines.source_unit_price as unit_price,
        order_lines.quantity,
        order_lines.ordered_at
    from order_lines
    inner join wanted on order_lines.order_line_id = wanted.order_line_id
    where order_lines.quantity > 0
)

select * from final
