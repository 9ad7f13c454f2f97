with events as (select * from {{ ref('base_activity__product_events') }}),

final as (
    select
        cast(event_id as {{ varchar(256) }}) as event_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(visitor_id as {{ varchar(256) }}) as visitor_id,
        cast(customer_id as {{ varchar(256) }}) as customer_id,
        cast(product_id as {{ varchar(256) }}) as product_id,
        cast(event_type as {{ varchar(64) }}) as event_type,
        due_at as occurred_at,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from events
    where {{ is_due() }}
)

select * from final
