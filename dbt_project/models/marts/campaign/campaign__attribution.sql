with orders as (
    select * from {{ ref('int_core__orders') }}
    where is_counted
),

order_refunds as (select * from {{ ref('int_core__order_refunds') }}),

touches as (select * from {{ ref('int_campaign__path_touches') }}),

last_touches as (
    select
        order_id,
        touchpoint_id,
        channel,
        campaign_id
    from touches
    where order_id is not null
    qualify row_number() over (partition by order_id order by position desc) = 1
),

-- the last touch takes the whole order, so nothing has to be divided
final as (
    select
        orders.order_id,
        cast('last_touch' as {{ varchar(64) }}) as model,
        coalesce(last_touches.touchpoint_id, '(none)') as touchpoint_id,
        orders.cell,
        coalesce(last_touches.channel, 'unattributed') as channel,
        coalesce(last_touches.campaign_id, '(none)') as campaign_id,
        cast(1 as decimal(13, 12)) as credit,
        orders.gross_revenue as attributed_revenue,
        cast(
            orders.gross_revenue - coalesce(order_refunds.refunded_amount, 0) as decimal(18, 4)
        ) as attributed_net_revenue
    from orders
    left join order_refunds on orders.order_id = order_refunds.order_id
    left join last_touches on orders.order_id = last_touches.order_id
)

select * from final
