with order_lines as (select * from {{ ref('int_core__order_lines') }}),

line_refunds as (select * from {{ ref('int_core__line_refunds') }}),

final as (
    select
        order_lines.order_line_id,
        order_lines.cell,
        order_lines.order_id,
        order_lines.product_id,
        order_lines.line_kind,
        order_lines.quantity,
        order_lines.unit_price,
        order_lines.line_amount,
        coalesce(line_refunds.refunded_quantity, 0) as refunded_quantity,
        coalesce(line_refunds.refunded_amount, 0) as refunded_amount,
        cast(
            order_lines.line_amount - coalesce(line_refunds.refunded_amount, 0) as decimal(18, 4)
        ) as net_amount,
        order_lines.ordered_at,
        order_lines.order_date
    from order_lines
    left join line_refunds on order_lines.order_line_id = line_refunds.order_line_id
)

select * from final
