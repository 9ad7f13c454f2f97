with lines as (
    select * from {{ ref('int_affiliate__lines') }}
    where customer_id is not null
),

purchases as (
    select distinct
        customer_id,
        product_code,
        order_id,
        ordered_at,
        status
    from lines
),

final as (
    select
        customer_id,
        product_code,
        order_id,
        last_value(case when status <> 'cancelled' then ordered_at end ignore nulls) over (
            partition by customer_id, product_code
            order by ordered_at, order_id
            rows between unbounded preceding and 1 preceding
        ) as bought_before_at
    from purchases
    qualify bought_before_at is not null
)

select * from final
