with refunds as (select * from {{ ref('stg_shop__refunds') }}),

refund_rates as (select * from {{ ref('int_finance__refund_rates') }}),

order_lines as (select * from {{ ref('stg_shop__order_lines') }}),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

-- an order and a product name a line where there is one such line only
single_lines as (
    select
        order_id,
        lower(product_id) as product_code,
        min(order_line_id) as order_line_id
    from order_lines
    group by order_id, lower(product_id)
    having count(*) = 1
),

-- one line's refunds may name it, its order, or both
referenced as (
    select
        refunds.refund_id,
        coalesce(refunds.order_line_id, single_lines.order_line_id) as order_line_id,
        coalesce(refunds.order_id, order_lines.order_id) as order_id
    from refunds
    left join order_lines on refunds.order_line_id = order_lines.order_line_id
    left join
        single_lines
        on
            refunds.order_id = single_lines.order_id
            and lower(refunds.product_id) = single_lines.product_code
),

-- parts of one line, or of one product of an order, are converted as a running total: together
-- they are worth what the line is, to the last place
running as (
    select
        refunds.refund_id,
        refund_rates.currency,
        refund_rates.rate,
        cast(
            sum(refunds.amount) over (
                partition by
                    referenced.order_id,
                    referenced.order_line_id,
                    lower(refunds.product_id),
                    case
                        when referenced.order_id is null and referenced.order_line_id is null
                            then refunds.refund_id
                    end,
                    refund_rates.currency,
                    refund_rates.rate_date
                order by refunds.refunded_at, refunds.refund_id
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as refunded_so_far
    from refunds
    inner join referenced on refunds.refund_id = referenced.refund_id
    inner join refund_rates on refunds.refund_id = refund_rates.refund_id
    where refund_rates.rate is not null
),

final as (
    select
        refunds.refund_id,
        refunds.cell,
        refunds.refund_document_id,
        refunds.order_id,
        refunds.order_line_id,
        coalesce(customer_aliases.customer_id, refunds.customer_id) as customer_id,
        refunds.product_id,
        lower(refunds.product_id) as product_code,
        refunds.line_kind,
        refunds.quantity,
        {{ reporting_amount('refunds.unit_price', 'running.rate') }} as unit_price,
        cast(
            {{ reporting_amount('running.refunded_so_far', 'running.rate') }}
            - {{ reporting_amount('(running.refunded_so_far - refunds.amount)', 'running.rate') }}
            as decimal(18, 4)
        ) as amount,
        running.currency,
        refunds.unit_price as source_unit_price,
        refunds.amount as source_amount,
        coalesce(refunds.country, '(unknown)') as country,
        refunds.refunded_at,
        {{ reporting_date('refunds.refunded_at') }} as refund_date
    from refunds
    inner join running on refunds.refund_id = running.refund_id
    left join customer_aliases on refunds.customer_id = customer_aliases.merged_customer_id
)

select * from final
