with looks as (select * from {{ ref('int_recommendation__looks') }}),

cart_leftovers as (select * from {{ ref('int_recommendation__cart_leftovers') }}),

searched_products as (select * from {{ ref('int_recommendation__searched_products') }}),

restocks as (select * from {{ ref('int_recommendation__restocks') }}),

price_drops as (select * from {{ ref('int_recommendation__price_drops') }}),

sale_offers as (select * from {{ ref('int_recommendation__sale_offers') }}),

rules as (select * from {{ ref('trigger_rules') }}),

searched as (
    select
        'searched_not_bought' as kind,
        customer_id,
        visitor_id,
        product_id,
        cell,
        'search' as evidence_type,
        search_id as evidence_id,
        searched_at as evidence_at,
        searched_at as interested_at,
        cast(null as decimal(18, 4)) as price
    from searched_products
),

viewed as (
    select
        'viewed_not_bought' as kind,
        looks.customer_id,
        looks.visitor_id,
        looks.product_id,
        looks.cell,
        'view' as evidence_type,
        looks.look_id as evidence_id,
        looks.looked_at as evidence_at,
        looks.looked_at as interested_at,
        cast(null as decimal(18, 4)) as price
    from looks
    inner join rules on rules.kind = 'viewed_not_bought'
    where looks.is_wished or looks.view_count >= rules.minimum_views
),

left_in_cart as (
    select
        'abandoned_cart' as kind,
        customer_id,
        visitor_id,
        product_id,
        cell,
        'cart_event' as evidence_type,
        event_id as evidence_id,
        touched_at as evidence_at,
        added_at as interested_at,
        cast(null as decimal(18, 4)) as price
    from cart_leftovers
),

on_sale as (
    select
        'on_sale_related' as kind,
        customer_id,
        cast(null as {{ varchar(256) }}) as visitor_id,
        product_id,
        cell,
        'order' as evidence_type,
        order_id as evidence_id,
        dropped_at as evidence_at,
        interested_at,
        price
    from sale_offers
),

happened as (
    select
        'back_in_stock' as kind,
        product_id,
        restocked_at as happened_at,
        sold_out_at as matters_from,
        cast(null as decimal(18, 4)) as price
    from restocks
    union all
    select
        'price_drop' as kind,
        product_id,
        dropped_at as happened_at,
        cast(null as timestamptz) as matters_from,
        price
    from price_drops
),

-- What happens first after a look is what the e-mail is about; of several looks before it the last
-- one stands for all.
looked_before as (
    select
        happened.kind,
        looks.customer_id,
        looks.visitor_id,
        looks.product_id,
        looks.cell,
        'view' as evidence_type,
        looks.look_id as evidence_id,
        happened.happened_at as evidence_at,
        looks.looked_at as interested_at,
        happened.price
    from looks
    inner join
        happened
        on
            looks.product_id = happened.product_id
            and looks.looked_at < happened.happened_at
            and (happened.matters_from is null or looks.looked_at >= happened.matters_from)
    inner join
        rules
        on
            happened.kind = rules.kind
            and looks.looked_at >= happened.happened_at - rules.lookback_days * interval '1 day'
            and (looks.is_wished or looks.view_count >= rules.minimum_views)
    qualify
        row_number() over (
            partition by happened.kind, looks.look_id order by happened.happened_at
        ) = 1
),

last_looks as (
    select *
    from looked_before
    qualify
        row_number() over (
            partition by
                kind,
                coalesce(customer_id, 'visitor ' || visitor_id),
                product_id,
                evidence_at
            order by interested_at desc, evidence_id desc
        ) = 1
),

final as (
    select * from searched
    union all
    select * from viewed
    union all
    select * from left_in_cart
    union all
    select * from on_sale
    union all
    select * from last_looks
)

select * from final
