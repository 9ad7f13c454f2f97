with clicks as (select * from {{ ref('base_affiliate__clicks') }}),

final as (
    select
        cast(click_id as {{ varchar(256) }}) as click_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(affiliate_id as {{ varchar(256) }}) as affiliate_id,
        due_at as occurred_at,
        first_received_at as received_at,
        cast(visitor_id as {{ varchar(256) }}) as visitor_id,
        cast(customer_id as {{ varchar(256) }}) as customer_id,
        cast(product_id as {{ varchar(256) }}) as product_id,
        cast(landing_page as {{ varchar(2048) }}) as landing_page,
        cast(ip as {{ varchar(256) }}) as ip_hash,
        cast(user_agent as {{ varchar(256) }}) as user_agent_hash,
        is_time_replaced,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from clicks
    where {{ is_due() }}
)

select * from final
