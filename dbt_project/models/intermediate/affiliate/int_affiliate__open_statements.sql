with movements as (select * from {{ ref('int_affiliate__balance_movements') }}),

closed as (select * from {{ source('ledger', 'statements') }}),

months as (select * from {{ ref('int_affiliate__statement_months') }}),

payees as (select * from {{ ref('int_affiliate__payees') }}),

net_sales as (select * from {{ ref('int_affiliate__net_sales') }}),

accounts as (
    select
        affiliate_id,
        currency
    from movements
    union
    select
        affiliate_id,
        currency
    from closed
    union
    select
        net_sales.affiliate_id,
        payees.payout_currency as currency
    from net_sales
    inner join payees on net_sales.affiliate_id = payees.affiliate_id
),

last_closed as (select max(period) as period from closed),

-- an account without a statement of the last closed month had no balance then
brought as (
    select
        closed.affiliate_id,
        closed.currency,
        closed.closing
    from closed
    inner join last_closed on closed.period = last_closed.period
),

opened as (
    select
        accounts.affiliate_id,
        accounts.currency,
        months.period,
        months.closable_at,
        coalesce(movements.matured, 0) as matured,
        coalesce(movements.reversals, 0) as reversals,
        coalesce(movements.adjustments, 0) as adjustments,
        coalesce(movements.payouts, 0) as payouts,
        coalesce(brought.closing, 0) + sum(
            coalesce(
                movements.matured + movements.reversals + movements.adjustments
                + movements.payouts, 0
            )
        ) over (
            partition by accounts.affiliate_id, accounts.currency
            order by months.period
            rows between unbounded preceding and current row
        ) as closing
    from accounts
    cross join months
    left join
        movements
        on
            accounts.affiliate_id = movements.affiliate_id
            and accounts.currency = movements.currency
            and months.period = movements.period
    left join
        brought
        on
            accounts.affiliate_id = brought.affiliate_id
            and accounts.currency = brought.currency
    where not months.is_closed
),

judged as (
    select
        opened.affiliate_id,
        opened.currency,
        opened.period,
        opened.closable_at,
        opened.matured,
        opened.reversals,
        opened.adjustments,
        opened.payouts,
        opened.closing,
        case
            when
                payees.affiliate_status = 'active'
                and opened.closing > 0
                and (
                    opened.closing >= payees.minimum_payout
                    or opened.currency <> payees.payout_currency
                )
                then opened.closing
            else 0
        end as payable,
        case
            when opened.currency = payees.payout_currency then coalesce(net_sales.net_sales, 0)
            else 0
        end as net_sales
    from opened
    inner join payees on opened.affiliate_id = payees.affiliate_id
    left join
        net_sales
        on
            opened.affiliate_id = net_sales.affiliate_id
            and opened.period = net_sales.period
),

final as (
    select
        cast(affiliate_id as {{ varchar(256) }}) as affiliate_id,
        period,
        cast(currency as {{ varchar(3) }}) as currency,
        cast(closing - matured - reversals - adjustments - payouts as decimal(18, 2)) as opening,
        cast(matured as decimal(18, 2)) as matured,
        cast(reversals as decimal(18, 2)) as reversals,
        cast(adjustments as decimal(18, 2)) as adjustments,
        cast(payouts as decimal(18, 2)) as payouts,
        cast(closing as decimal(18, 2)) as closing,
        cast(payable as decimal(18, 2)) as payable,
        cast(closing - payable as decimal(18, 2)) as carried_forward,
        cast(net_sales as decimal(18, 4)) as net_sales,
        closable_at
    from judged
)

select * from final
