with lines as (
    select * from {{ ref('int_affiliate__lines') }}
    where customer_id is not null
),

-- nothing is looked up where no affiliate has the rule
ruled as (
    select distinct true as is_asked
    from {{ ref('int_affiliate__rules') }}
    where duplicate_order_days is not null
),

purchases as (
    select distinct
        lines.customer_id,
        lines.product_code,
        lines.order_id,
        lines.ordered_at,
        lines.status
    from lines
    cross join ruled
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
