{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_affiliate__orders'), 'order_id') }}",
        "{{ forget_changed(ref('int_affiliate__orders'), 'order_id', 'order_id') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_affiliate__orders'), 'order_id') }}"],
) }}
with order_lines as (
    select * from {{ ref('int_core__order_lines') }}
    where {{ is_changed('int_affiliate__orders', 'order_id', 'order_id') }}
),

orders as (select * from {{ ref('int_affiliate__orders') }}),

products as (select * from {{ ref('stg_shop__products') }}),

plans as (select * from {{ ref('stg_affiliate__commission_plans') }}),

named_categories as (
    select distinct category
    from plans
    where category is not null
),

-- Only of orders with a discount, whole ten-thousandths of the order's currency; a line of nothing
-- or less takes no discount.
discounted as (
    select distinct order_id
    from {{ ref('int_core__order_lines') }}
    where
        line_kind = 'discount'
        and source_amount < 0
        and {{ is_changed('int_affiliate__orders', 'order_id', 'order_id') }}
),

units as (
    select
        order_lines.order_id,
        order_lines.order_line_id,
        order_lines.line_kind,
        cast(cast(order_lines.source_amount as decimal(19, 4)) * 10000 as decimal(19, 0)) as amount
    from {{ ref('int_core__order_lines') }} as order_lines
    inner join discounted on order_lines.order_id = discounted.order_id
),

discounts as (
    select
        order_id,
        cast(
            least(
                -sum(case when line_kind = 'discount' then amount else 0 end),
                sum(case when line_kind = 'product' and amount > 0 then amount else 0 end)
            ) as decimal(19, 0)
        ) as discount,
        cast(
            sum(case when line_kind = 'product' and amount > 0 then amount else 0 end)
            as decimal(19, 0)
        ) as goods
    from units
    group by order_id
    having
        sum(case when line_kind = 'discount' then amount else 0 end) < 0
        and sum(case when line_kind = 'product' and amount > 0 then amount else 0 end) > 0
),

divided as (
    select
        units.order_id,
        units.order_line_id,
        units.amount,
        discounts.discount,
        discounts.goods,
        {{ whole_quotient('discounts.discount * units.amount', 'discounts.goods') }} as quotient
    from units
    inner join discounts on units.order_id = discounts.order_id
    where units.line_kind = 'product' and units.amount > 0
),

remaining as (
    select
        *,
        discount * amount - cast(quotient as decimal(19, 0)) * goods as left_over
    from divided
),

shared as (
    select
        order_line_id,
        {{ largest_remainder(
            'discount', 'quotient', 'left_over', 'order_id', 'order_line_id'
        ) }} as discount_share
    from remaining
),

final as (
    select
        order_lines.order_line_id,
        order_lines.order_id,
        order_lines.cell,
        orders.customer_id,
        orders.visitor_id,
        orders.status,
        orders.is_counted,
        orders.is_first_order,
        orders.ordered_at,
        orders.order_date,
        order_lines.product_id,
        order_lines.product_code,
        products.category,
        coalesce(named_categories.category, '(other)') as plan_category,
        coalesce(products.is_commissionable, false) as is_commissionable,
        order_lines.quantity,
        order_lines.currency as order_currency,
        order_lines.source_amount as line_amount,
        order_lines.line_amount as reporting_line_amount,
        cast(
            cast(coalesce(shared.discount_share, 0) as decimal(19, 0))
            * cast(0.0001 as decimal(5, 4)) as decimal(18, 4)
        ) as discount_share
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    left join products on order_lines.product_id = products.product_id
    left join named_categories on products.category = named_categories.category
    left join shared on order_lines.order_line_id = shared.order_line_id
    where order_lines.line_kind = 'product'
)

select * from final
