with orders as (select * from {{ ref('stg_shop__orders') }}),

order_lines as (select * from {{ ref('int_core__order_lines') }}),

order_rates as (select * from {{ ref('int_finance__order_rates') }}),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

line_sums as (
    select
        order_id,
        max(case when is_sale_line then 1 else 0 end) as sale_flag,
        sum(case when line_kind = 'product' then line_amount else 0 end) as product_amount,
        sum(case when line_kind = 'shipping' then line_amount else 0 end) as shipping_amount,
        sum(case when line_kind = 'fee' then line_amount else 0 end) as fee_amount,
        sum(case when line_kind = 'discount' then line_amount else 0 end) as discount_amount,
        sum(case when line_kind = 'adjustment' then line_amount else 0 end) as adjustment_amount,
        sum(line_amount) as gross_revenue,
        sum(source_amount) as source_amount
    from order_lines
    group by order_id
),

measured as (
    select
        orders.order_id,
        orders.cell,
        coalesce(customer_aliases.customer_id, orders.customer_id) as customer_id,
        orders.visitor_id,
        orders.ordered_at,
        {{ reporting_date('orders.ordered_at') }} as order_date,
        coalesce(orders.country, '(unknown)') as country,
        orders.status,
        case when line_sums.sale_flag = 1 then 'sale' else 'adjustment' end as order_kind,
        coalesce(line_sums.sale_flag, 0) = 1 and orders.status <> 'cancelled' as is_counted,
        cast(coalesce(line_sums.product_amount, 0) as decimal(18, 4)) as product_amount,
        cast(coalesce(line_sums.shipping_amount, 0) as decimal(18, 4)) as shipping_amount,
        cast(coalesce(line_sums.fee_amount, 0) as decimal(18, 4)) as fee_amount,
        cast(coalesce(line_sums.discount_amount, 0) as decimal(18, 4)) as discount_amount,
        cast(coalesce(line_sums.adjustment_amount, 0) as decimal(18, 4)) as adjustment_amount,
        cast(coalesce(line_sums.gross_revenue, 0) as decimal(18, 4)) as gross_revenue,
        order_rates.currency,
        cast(coalesce(line_sums.source_amount, 0) as decimal(18, 4)) as source_amount
    from orders
    inner join order_rates on orders.order_id = order_rates.order_id
    left join line_sums on orders.order_id = line_sums.order_id
    left join customer_aliases on orders.customer_id = customer_aliases.merged_customer_id
    where order_rates.rate is not null
),

final as (
    select
        measured.*,
        measured.is_counted
        and measured.customer_id is not null
        and row_number() over (
            partition by measured.customer_id, measured.is_counted
            order by measured.ordered_at, measured.order_id
        ) = 1 as is_first_order
    from measured
)

select * from final
