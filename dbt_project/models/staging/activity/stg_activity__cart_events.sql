with events as (select * from {{ ref('base_activity__cart_events') }}),

final as (
    select
        cast(event_id as {{ varchar(256) }}) as event_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(cart_id as {{ varchar(256) }}) as cart_id,
        cast(visitor_id as {{ varchar(256) }}) as visitor_id,
        cast(customer_id as {{ varchar(256) }}) as customer_id,
        cast(product_id as {{ varchar(256) }}) as product_id,
        cast(action as {{ varchar(64) }}) as action,
        cast(quantity as bigint) as quantity,
        cast(unit_price as decimal(18, 4)) as unit_price,
        due_at as occurred_at,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from events
    where {{ is_due() }}
)

select * from final
