{#- Written nowhere: as wide as what it reads, and each reader wants other columns of it. -#}
{{ config(materialized='view') }}

with product_events as (select * from {{ ref('stg_activity__product_events') }}),

searches as (select * from {{ ref('stg_activity__searches') }}),

cart_events as (select * from {{ ref('stg_activity__cart_events') }}),

order_lines as (select * from {{ ref('int_core__order_lines') }}),

orders as (select * from {{ ref('int_core__orders') }}),

bot_visitors as (select * from {{ ref('base_campaign__bot_visitors') }}),

-- source ranks are those of int_core__visitor_events
done as (
    select
        2 as source_rank,
        event_id,
        event_type as kind,
        event_id as row_id,
        cell,
        nullif(visitor_id, '') as visitor_id,
        nullif(customer_id, '') as customer_id,
        cast(null as {{ varchar(256) }}) as cart_id,
        cast(null as {{ varchar(256) }}) as order_id,
        nullif(product_id, '') as product_id,
        cast(null as bigint) as quantity,
        occurred_at,
        cast(null as {{ varchar(64) }}) as unsold_reason
    from product_events
    union all
    select
        3 as source_rank,
        search_id as event_id,
        'search_click' as kind,
        search_id as row_id,
        cell,
        nullif(visitor_id, '') as visitor_id,
        nullif(customer_id, '') as customer_id,
        cast(null as {{ varchar(256) }}) as cart_id,
        cast(null as {{ varchar(256) }}) as order_id,
        clicked_product_id as product_id,
        cast(null as bigint) as quantity,
        occurred_at,
        cast(null as {{ varchar(64) }}) as unsold_reason
    from searches
    where nullif(clicked_product_id, '') is not null
    union all
    select
        4 as source_rank,
        event_id,
        'cart' as kind,
        event_id as row_id,
        cell,
        nullif(visitor_id, '') as visitor_id,
        nullif(customer_id, '') as customer_id,
        nullif(cart_id, '') as cart_id,
        cast(null as {{ varchar(256) }}) as order_id,
        nullif(product_id, '') as product_id,
        quantity,
        occurred_at,
        case when quantity <= 0 then 'no_quantity' end as unsold_reason
    from cart_events
    where action = 'add'
    union all
    select
        6 as source_rank,
        order_lines.order_id as event_id,
        'purchase' as kind,
        order_lines.order_line_id as row_id,
        order_lines.cell,
        nullif(orders.visitor_id, '') as visitor_id,
        orders.customer_id,
        cast(null as {{ varchar(256) }}) as cart_id,
        order_lines.order_id,
        nullif(order_lines.product_id, '') as product_id,
        order_lines.quantity,
        orders.ordered_at as occurred_at,
        case
            when not orders.is_counted then 'not_counted'
            when order_lines.quantity <= 0 then 'no_quantity'
            when order_lines.unit_price <= 0 then 'no_price'
        end as unsold_reason
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    where order_lines.line_kind = 'product'
),

-- the first reason is the one that is told; an order is somebody's, named or not
final as (
    select
        done.source_rank,
        done.event_id,
        done.kind,
        done.row_id,
        done.cell,
        done.visitor_id,
        done.customer_id,
        done.cart_id,
        done.order_id,
        done.product_id,
        done.quantity,
        done.occurred_at,
        case
            when bot_visitors.visitor_id is not null then bot_visitors.bot_reason
            when
                done.kind <> 'purchase' and done.visitor_id is null and done.customer_id is null
                then 'nobody'
            when done.product_id is null then 'no_product'
            else done.unsold_reason
        end as exclusion
    from done
    left join bot_visitors on done.visitor_id = bot_visitors.visitor_id
)

select * from final
