with orders as (select * from {{ ref('base_shop__orders') }}),

final as (
    select
        cast(order_id as {{ varchar(256) }}) as order_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(user_id as {{ varchar(256) }}) as customer_id,
        cast(visitor_id as {{ varchar(256) }}) as visitor_id,
        ordered_at,
        cast(status as {{ varchar(64) }}) as status,
        cast(country as {{ varchar(256) }}) as country,
        cast(currency as {{ varchar(64) }}) as currency,
        cast(coupon_code as {{ varchar(256) }}) as coupon_code,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from orders
    where {{ is_due() }}
)

select * from final
