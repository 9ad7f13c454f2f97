with payments as (select * from {{ ref('stg_billing__payments') }}),

payment_rates as (select * from {{ ref('int_finance__payment_rates') }}),

orders as (select * from {{ ref('int_core__orders') }}),

-- only settled money moved, and a chargeback moved it back
signed as (
    select
        payments.payment_id,
        payments.cell,
        payments.order_id as source_order_id,
        orders.order_id,
        orders.customer_id,
        payments.kind,
        payments.status,
        payments.amount as source_amount,
        payments.currency,
        payments.paid_at,
        payment_rates.rate,
        orders.currency = payments.currency and orders.source_amount > 0 as is_in_order_currency,
        orders.source_amount as ordered_source_amount,
        orders.gross_revenue as ordered_amount,
        case
            when payments.status <> 'settled' then 0
            when payments.kind = 'chargeback' then -1
            else 1
        end as direction
    from payments
    inner join payment_rates on payments.payment_id = payment_rates.payment_id
    left join orders on payments.order_id = orders.order_id
    where payment_rates.rate is not null
),

-- what had been paid of the order in this currency, before and after each payment
running as (
    select
        signed.*,
        cast(
            sum(signed.direction * signed.source_amount) over (
                partition by
                    signed.order_id,
                    case when signed.order_id is null then signed.payment_id end,
                    signed.currency
                order by signed.paid_at, signed.payment_id
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as source_paid_after,
        cast(
            sum(signed.direction * signed.source_amount) over (
                partition by
                    signed.order_id,
                    case when signed.order_id is null then signed.payment_id end,
                    signed.currency
                order by signed.paid_at, signed.payment_id
                rows between unbounded preceding and current row
            ) - signed.direction * signed.source_amount as decimal(18, 4)
        ) as source_paid_before
    from signed
),

-- converted as running totals, the order's whole price as the sum of its rounded lines: parts then
-- sum to what was ordered, and a chargeback takes back what the payment brought, to the last place
converted as (
    select
        running.*,
        {%- for moment in ['before', 'after'] %}
        {{ reporting_amount('running.source_paid_' ~ moment, 'running.rate') }}
        + case
            when
                running.is_in_order_currency
                and running.source_paid_{{ moment }} >= running.ordered_source_amount
                then
                    running.ordered_amount
                    - {{ reporting_amount('running.ordered_source_amount', 'running.rate') }}
            else 0
        end as paid_{{ moment }},
        {%- endfor %}
        {{ reporting_amount('running.source_amount', 'running.rate') }} as unsettled_amount
    from running
),

final as (
    select
        payment_id,
        cell,
        coalesce(order_id, '(unknown)') as order_id,
        source_order_id,
        customer_id,
        kind,
        status,
        cast(
            case
                when direction = 0 then unsettled_amount
                else direction * (paid_after - paid_before)
            end as decimal(18, 4)
        ) as amount,
        cast(paid_after - paid_before as decimal(18, 4)) as paid_amount,
        source_amount,
        currency,
        paid_at,
        {{ reporting_date('paid_at') }} as paid_date
    from converted
)

select * from final
