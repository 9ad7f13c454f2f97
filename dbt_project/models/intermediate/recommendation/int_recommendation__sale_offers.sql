with price_drops as (
    select * from {{ ref('int_recommendation__price_drops') }}
    where dropped_at >= {{ as_of() }} - interval '{{ var("trigger_window_days") }} days'
),

baskets as (select * from {{ ref('int_recommendation__order_baskets') }}),

orders as (
    select * from {{ ref('int_core__orders') }}
    where is_counted and customer_id is not null
),

rules as (
    select * from {{ ref('trigger_rules') }}
    where kind = 'on_sale_related'
),

sizes as (
    select
        product_id,
        count(*) as basket_count
    from baskets
    group by product_id
),

dropped as (select distinct product_id from price_drops),

bought_together as (
    select
        dropped.product_id,
        other_baskets.product_id as other_product_id,
        count(*) as shared_count
    from dropped
    inner join baskets on dropped.product_id = baskets.product_id
    inner join
        baskets as other_baskets
        on
            baskets.order_id = other_baskets.order_id
            and baskets.product_id <> other_baskets.product_id
    group by dropped.product_id, other_baskets.product_id
),

measured as (
    select
        bought_together.product_id,
        bought_together.other_product_id,
        bought_together.shared_count / sqrt(
            cast(sizes.basket_count as double precision) * other_sizes.basket_count
        ) as cosine
    from bought_together
    inner join sizes on bought_together.product_id = sizes.product_id
    inner join sizes as other_sizes on bought_together.other_product_id = other_sizes.product_id
    where bought_together.shared_count >= {{ var('trigger_related_baskets') }}
),

-- what goes with a product that became cheaper: only those are looked at, not every pair
related as (
    select *
    from measured
    qualify
        row_number() over (
            partition by product_id order by cosine desc, other_product_id asc
        ) <= {{ var('trigger_related_products') }}
),

-- a purchase is evidence for the first fall in price after it
offered as (
    select
        orders.customer_id,
        orders.order_id,
        orders.ordered_at,
        orders.cell,
        price_drops.product_id,
        price_drops.dropped_at,
        price_drops.price,
        related.cosine,
        price_drops.dropped_at - rules.lookback_days * interval '1 day' as interested_at
    from related
    inner join price_drops on related.product_id = price_drops.product_id
    inner join baskets on related.other_product_id = baskets.product_id
    inner join orders on baskets.order_id = orders.order_id
    inner join
        rules
        on
            price_drops.dropped_at > orders.ordered_at
            and price_drops.dropped_at
            <= orders.ordered_at + rules.lookback_days * interval '1 day'
    qualify
        row_number() over (
            partition by orders.order_id, price_drops.product_id
            order by price_drops.dropped_at asc, related.cosine desc, related.other_product_id asc
        ) = 1
),

-- of several purchases the one of what goes best with it, and then the last, stands for all
final as (
    select *
    from offered
    qualify
        row_number() over (
            partition by customer_id, product_id, dropped_at
            order by cosine desc, ordered_at desc, order_id asc
        ) = 1
)

select * from final
