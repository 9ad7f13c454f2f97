with live as (
    {{ live_rows(source('raw_shop', 'refunds'), ['refund_id']) }}
),

orders as (select * from {{ ref('base_shop__orders') }}),

order_lines as (select * from {{ ref('base_shop__order_lines') }}),

-- a refund waits for the order and the line that it names
final as (
    select
        live.*,
        greatest(live.refunded_at, orders.due_at, order_lines.due_at) as due_at
    from live
    left join orders on live._cell = orders._cell and live.order_id = orders.order_id
    left join
        order_lines
        on live._cell = order_lines._cell and live.order_line_id = order_lines.order_line_id
)

select * from final
