with orders as (select * from {{ ref('int_affiliate__orders') }}),

coupon_orders as (select * from {{ ref('int_affiliate__coupon_orders') }}),

programme as (select * from {{ ref('int_affiliate__programme') }}),

clicks as (
    select
        click_key,
        {{ rows_print(row_hash([
            'affiliate_id', 'click_id', 'occurred_at', 'too_soon_until', 'validity', 'validity_rule',
        ])) }} as digest
    from {{ ref('int_affiliate__buyer_clicks') }}
    group by click_key
),

final as (
    select
        orders.order_id,
        cast(
            {{ row_hash([
                'orders.digest', 'programme.longest_hours', 'programme.digest', 'of_visitor.digest',
                'of_customer.digest', 'coupon_orders.affiliate_id', 'coupon_orders.coupon_code',
            ]) }} as decimal(38, 0)
        ) as digest
    from orders
    cross join programme
    left join
        clicks as of_visitor
        on 'visitor ' || orders.visitor_id = of_visitor.click_key
    left join
        clicks as of_customer
        on 'customer ' || orders.customer_id = of_customer.click_key
    left join coupon_orders on orders.order_id = coupon_orders.order_id
)

select * from final
