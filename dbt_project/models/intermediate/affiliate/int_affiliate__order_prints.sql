with lines as (select * from {{ ref('int_affiliate__lines') }}),

click_prints as (select * from {{ ref('int_affiliate__click_prints') }}),

coupon_orders as (select * from {{ ref('int_affiliate__coupon_orders') }}),

partners as (select * from {{ ref('int_affiliate__partner_prints') }}),

parts as (
    select
        order_id,
        {{ row_hash([
            'order_line_id', 'cell', 'customer_id', 'visitor_id', 'status', 'is_counted',
            'is_first_order', 'ordered_at', 'order_date', 'product_id', 'product_code',
            'plan_category', 'is_commissionable', 'quantity', 'order_currency', 'line_amount',
            'reporting_line_amount', 'discount_share',
        ]) }} as part_hash
    from lines
    union all
    select
        click_prints.order_id,
        {{ row_hash(['click_prints.part_hash', 'partners.digest']) }} as part_hash
    from click_prints
    inner join partners on partners.affiliate_id = '(none)'
    union all
    select
        coupon_orders.order_id,
        {{ row_hash([
            'coupon_orders.affiliate_id', 'coupon_orders.coupon_code', 'partners.digest',
        ]) }} as part_hash
    from coupon_orders
    inner join click_prints on coupon_orders.order_id = click_prints.order_id
    left join partners on coupon_orders.affiliate_id = partners.affiliate_id
),

final as (
    select
        order_id,
        {{ rows_print('part_hash') }} as digest
    from parts
    group by order_id
)

select * from final
