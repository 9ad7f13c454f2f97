with interactions as (select * from {{ ref('int_recommendation__interactions') }}),

final as (
    select
        cast(interaction_id as {{ varchar(512) }}) as interaction_id,
        cast(kind as {{ varchar(64) }}) as kind,
        cast(actor_key as {{ varchar(512) }}) as actor_key,
        cast(customer_id as {{ varchar(256) }}) as customer_id,
        cast(session_id as {{ varchar(256) }}) as session_id,
        cart_id,
        order_id,
        product_id,
        quantity,
        occurred_at,
        weight,
        cell
    from interactions
)

select * from final
