{%- set matchings = [
    ('by_amount', 'moves', 'order_id, amount'),
    ('by_time', 'not_by_amount', 'order_id'),
] -%}
{%- set in_order = 'order by paid_at, is_reversal, payment_id' -%}

with payments as (
    select * from {{ ref('stg_billing__payments') }}
    where kind in ('chargeback', 'reversal')
),

moves as (
    select
        payment_id,
        order_id,
        amount,
        paid_at,
        case when kind = 'reversal' then 1 else 0 end as is_reversal
    from payments
    where status = 'settled'
),

{% for name, source, key in matchings -%}
-- the money of a chargeback opens a level, which the reversal that stands next on it closes
levels_{{ name }} as (
    select
        payment_id,
        order_id,
        amount,
        paid_at,
        is_reversal,
        sum(1 - 2 * is_reversal) over (
            partition by {{ key }} {{ in_order }}
            rows between unbounded preceding and current row
        ) + is_reversal as money_level
    from {{ source }}
),

followed_{{ name }} as (
    select
        payment_id,
        order_id,
        amount,
        paid_at,
        is_reversal,
        lag(is_reversal) over (
            partition by {{ key }}, money_level {{ in_order }}
        ) as is_reversal_before,
        lead(is_reversal) over (
            partition by {{ key }}, money_level {{ in_order }}
        ) as is_reversal_after
    from levels_{{ name }}
),

not_{{ name }} as (
    select
        payment_id,
        order_id,
        amount,
        paid_at,
        is_reversal
    from followed_{{ name }}
    where
        case
            when is_reversal = 1 then coalesce(is_reversal_before, 1) = 1
            else coalesce(is_reversal_after, 0) = 0
        end
),

{% endfor -%}
-- A dispute is open until money moved, or the shop won: then a reversal comes of which no money of
-- another dispute is to be had.
final as (
    select
        payments.order_id,
        min(payments.paid_at) as held_since
    from payments
    left join
        not_by_time as reversals
        on
            payments.order_id = reversals.order_id
            and reversals.is_reversal = 1
            and payments.paid_at <= reversals.paid_at
    where
        payments.kind = 'chargeback'
        and payments.status not in ('settled', 'lost', 'won', 'failed')
        and reversals.payment_id is null
    group by payments.order_id
)

select * from final
