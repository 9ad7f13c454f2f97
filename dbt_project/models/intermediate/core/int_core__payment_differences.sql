with orders as (select * from {{ ref('int_core__orders') }}),

balances as (select * from {{ ref('int_core__order_balances') }}),

payments as (select * from {{ ref('int_core__payments') }}),

of_orders as (
    select
        orders.order_id,
        '(none)' as payment_id,
        orders.cell,
        orders.customer_id,
        case
            when balances.due_amount = 0 then 'not_due'
            when balances.paid_amount > balances.due_amount then 'overpaid'
            when balances.charged_back_amount > 0 then 'charged_back'
            when balances.paid_amount + balances.pending_amount >= balances.due_amount
                then 'pending'
            when balances.paid_amount > 0 then 'partial'
            else 'unpaid'
        end as reason,
        balances.due_amount,
        balances.paid_amount,
        cast(balances.paid_amount - balances.due_amount as decimal(18, 4)) as difference_amount,
        balances.charged_back_amount,
        balances.pending_amount,
        orders.ordered_at as occurred_at
    from orders
    inner join balances on orders.order_id = balances.order_id
    where balances.paid_amount <> balances.due_amount
),

without_order as (
    select
        order_id,
        payment_id,
        cell,
        customer_id,
        'unknown_order' as reason,
        cast(0 as decimal(18, 4)) as due_amount,
        paid_amount,
        paid_amount as difference_amount,
        cast(0 as decimal(18, 4)) as charged_back_amount,
        cast(0 as decimal(18, 4)) as pending_amount,
        paid_at as occurred_at
    from payments
    where order_id = '(unknown)' and paid_amount <> 0
),

final as (
    select * from of_orders
    union all
    select * from without_order
)

select * from final
