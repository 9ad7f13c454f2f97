with orders as (select * from {{ ref('int_core__orders') }}),

events as (
    select * from {{ ref('int_core__resolved_events') }}
    where event_type = 'order' and source_rank = 6
),

-- an order without an account belongs to whoever signs in next on its visitor, as any event does
final as (
    select
        orders.order_id,
        orders.ordered_at,
        orders.order_date,
        orders.customer_id,
        {{ attribution_setting('lookback_days', 'orders.order_date') }} as lookback_days,
        {{ attribution_setting('path_transform', 'orders.order_date') }} as path_transform,
        case
            when coalesce(orders.customer_id, events.customer_id) is not null
                then 'customer ' || coalesce(orders.customer_id, events.customer_id)
            else events.visitor_key
        end as path_key
    from orders
    left join events on orders.order_id = events.event_id
    where orders.is_counted
)

select * from final
