with live as (
    {{ live_rows(source('raw_shop', 'order_lines'), ['order_line_id']) }}
),

orders as (select * from {{ ref('base_shop__orders') }}),

-- a line waits for its order too: its kind and its day come from there
final as (
    select
        live.*,
        orders.user_id,
        greatest(live.entered_at, orders.due_at) as due_at
    from live
    left join orders on live._cell = orders._cell and live.order_id = orders.order_id
)

select * from final
