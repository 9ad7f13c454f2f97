with cart_events as (select * from {{ ref('stg_activity__cart_events') }}),

session_events as (select * from {{ ref('int_core__session_events') }}),

-- what a program put into a cart has no session
events as (
    select
        cart_events.cart_id,
        cart_events.event_id,
        cart_events.product_id,
        cart_events.action,
        cart_events.cell,
        cart_events.occurred_at,
        session_events.customer_id,
        session_events.visitor_id
    from cart_events
    inner join
        session_events
        on
            cart_events.event_id = session_events.event_id
            and session_events.event_type = 'cart'
    where
        cart_events.cart_id <> ''
        and cart_events.occurred_at
        >= {{ as_of() }} - interval '{{ var("trigger_window_days") }} days'
),

carts as (
    select
        cell,
        cart_id,
        max(occurred_at) as touched_at,
        max(case when action = 'checkout' then occurred_at end) as checked_out_at
    from events
    group by cell, cart_id
),

-- a product is in the cart when the last thing that happened to it there is that it was added
last_changes as (
    select *
    from events
    where product_id is not null and action in ('add', 'remove')
    qualify
        row_number() over (
            partition by cell, cart_id, product_id
            order by occurred_at desc, event_id desc
        ) = 1
),

final as (
    select
        last_changes.event_id,
        last_changes.cart_id,
        last_changes.customer_id,
        last_changes.visitor_id,
        last_changes.product_id,
        last_changes.cell,
        last_changes.occurred_at as added_at,
        carts.touched_at
    from last_changes
    inner join
        carts
        on last_changes.cell = carts.cell and last_changes.cart_id = carts.cart_id
    where
        last_changes.action = 'add'
        and (carts.checked_out_at is null or carts.checked_out_at < last_changes.occurred_at)
)

select * from final
