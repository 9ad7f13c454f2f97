{#- What is bought again, as coffee is, may be recommended to who bought it; what went back not. -#}
with order_lines as (select * from {{ ref('int_core__order_lines') }}),

orders as (select * from {{ ref('int_core__orders') }}),

refunds as (select * from {{ ref('int_core__refunds') }}),

products as (select * from {{ ref('int_recommendation__products') }}),

bought as (
    select
        order_lines.customer_id,
        order_lines.product_code,
        cast(sum(order_lines.quantity) as bigint) as quantity
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    where
        orders.is_counted
        and order_lines.customer_id is not null
        and order_lines.line_kind = 'product'
        and order_lines.quantity > 0
    group by order_lines.customer_id, order_lines.product_code
),

returned as (
    select
        customer_id,
        product_code,
        cast(sum(quantity) as bigint) as quantity
    from refunds
    where customer_id is not null
    group by customer_id, product_code
),

judged as (
    select
        bought.customer_id,
        bought.product_code,
        case
            when returned.quantity >= bought.quantity then 'returned'
            {%- if not var('recommend_bought_again') %}
            else 'bought'
            {%- endif %}
        end as exclusion
    from bought
    left join
        returned
        on bought.customer_id = returned.customer_id and bought.product_code = returned.product_code
),

final as (
    select
        judged.customer_id,
        products.product_id,
        cast(judged.exclusion as {{ varchar(64) }}) as exclusion
    from judged
    inner join products on judged.product_code = lower(products.product_id)
    where judged.exclusion is not null
)

select * from final
