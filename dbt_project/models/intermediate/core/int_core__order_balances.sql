with orders as (select * from {{ ref('int_core__orders') }}),

payments as (select * from {{ ref('int_core__payments') }}),

paid as (
    select
        order_id,
        sum(paid_amount) as paid_amount,
        sum(case when kind in ('chargeback', 'reversal') then -paid_amount else 0 end)
            as charged_back_amount,
        sum(case when kind = 'payment' and status = 'pending' then amount else 0 end)
            as pending_amount
    from payments
    group by order_id
),

-- nothing is due for a cancelled order, for one that sells nothing, or for one that costs nothing
measured as (
    select
        orders.order_id,
        case
            when orders.is_counted and orders.gross_revenue > 0 then orders.gross_revenue
            else cast(0 as decimal(18, 4))
        end as due_amount,
        cast(coalesce(paid.paid_amount, 0) as decimal(18, 4)) as paid_amount,
        cast(coalesce(paid.charged_back_amount, 0) as decimal(18, 4)) as charged_back_amount,
        cast(coalesce(paid.pending_amount, 0) as decimal(18, 4)) as pending_amount
    from orders
    left join paid on orders.order_id = paid.order_id
),

final as (
    select
        measured.*,
        case
            when measured.paid_amount = measured.due_amount then 'paid'
            when measured.paid_amount > measured.due_amount then 'overpaid'
            when measured.paid_amount > 0 then 'partial'
            else 'unpaid'
        end as payment_status
    from measured
)

select * from final
