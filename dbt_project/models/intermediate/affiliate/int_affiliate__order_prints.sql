with lines as (select * from {{ ref('int_affiliate__lines') }}),

order_keys as (select * from {{ ref('int_affiliate__order_keys') }}),

click_prints as (
    select
        click_key,
        {{ rows_print(row_hash([
            'affiliate_id', 'click_id', 'occurred_at', 'too_soon_until', 'validity', 'validity_rule',
        ])) }} as digest
    from {{ ref('int_affiliate__buyer_clicks') }}
    group by click_key
),

coupon_orders as (select * from {{ ref('int_affiliate__coupon_orders') }}),

programme as (select * from {{ ref('int_affiliate__programme') }}),

parts as (
    select
        lines.order_id,
        {{ row_hash([
            'order_line_id', 'cell', 'customer_id', 'visitor_id', 'status', 'is_counted',
            'is_first_order', 'ordered_at', 'order_date', 'product_id', 'product_code',
            'plan_category', 'is_commissionable', 'quantity', 'order_currency', 'line_amount',
            'reporting_line_amount', 'discount_share', 'programme.longest_hours',
            'programme.digest',
        ]) }} as part_hash
    from lines
    cross join programme
    union all
    select
        order_keys.order_id,
        {{ row_hash(['click_prints.click_key', 'click_prints.digest']) }} as part_hash
    from order_keys
    inner join click_prints on order_keys.order_key = click_prints.click_key
    union all
    select
        order_id,
        {{ row_hash(['affiliate_id', 'coupon_code']) }} as part_hash
    from coupon_orders
    where order_id in (select lines.order_id from lines)
),

final as (
    select
        order_id,
        {{ rows_print('part_hash') }} as digest
    from parts
    group by order_id
)

select * from final
