with commissions as (select * from {{ ref('int_affiliate__commissions') }}),

due as (select * from {{ ref('int_affiliate__commission_due') }}),

-- with what is posted together with this version, so that the next one says the same
entries as (select * from {{ ref('affiliate__commission_ledger') }}),

statements as (select * from {{ source('ledger', 'statements') }}),

due_amounts as (
    select
        order_line_id,
        affiliate_id,
        sum(amount) as due_amount
    from due
    group by order_line_id, affiliate_id
),

posted as (
    select
        order_line_id,
        affiliate_id,
        sum(case when account = 'commission_expense' then amount else 0 end) as posted_amount,
        sum(case when account = 'affiliate_pending' then -amount else 0 end) as pending_amount,
        sum(case when account = 'affiliate_payable' then -amount else 0 end) as matured_amount,
        max(case when entry_type = 'maturity' then period end) as matured_period
    from entries
    where order_line_id <> '(none)'
    group by order_line_id, affiliate_id
),

-- what a statement that was paid covers has been paid: it carries on what those before it left
settled as (
    select
        affiliate_id,
        max(period) as closed_period,
        max(case when status = 'paid' then period end) as paid_period
    from statements
    group by affiliate_id
),

final as (
    select
        commissions.order_line_id,
        commissions.order_id,
        commissions.cell,
        commissions.affiliate_id,
        case
            when commissions.reason is not null then 'declined'
            when coalesce(due_amounts.due_amount, 0) = 0 and commissions.commission_amount <> 0
                then 'reversed'
            when commissions.held_since is not null then 'held'
            when commissions.matures_at > {{ as_of() }} then 'pending'
            when posted.matured_period <= settled.paid_period then 'paid'
            when posted.matured_period <= settled.closed_period then 'payable'
            else 'approved'
        end as status,
        commissions.reason,
        commissions.self_referral_rule,
        commissions.attribution_rule,
        commissions.coupon_code,
        commissions.click_id,
        commissions.clicked_at,
        commissions.window_rule,
        commissions.window_hours,
        commissions.window_ends_at,
        commissions.plan_id,
        commissions.tier,
        commissions.tier_sales,
        commissions.tier_statement,
        commissions.rate,
        commissions.rate_rule,
        commissions.order_currency,
        commissions.quantity,
        commissions.line_amount,
        commissions.discount_share,
        commissions.vat_rate,
        commissions.base_amount,
        commissions.reporting_line_amount,
        commissions.currency,
        commissions.fx_rate,
        commissions.fx_rule,
        commissions.uncapped_amount,
        commissions.cap_rule,
        commissions.cap_left,
        commissions.commission_amount,
        cast(coalesce(due_amounts.due_amount, 0) as decimal(18, 2)) as due_amount,
        cast(coalesce(posted.posted_amount, 0) as decimal(18, 2)) as posted_amount,
        cast(coalesce(posted.pending_amount, 0) as decimal(18, 2)) as pending_amount,
        cast(coalesce(posted.matured_amount, 0) as decimal(18, 2)) as matured_amount,
        commissions.delivery_days,
        commissions.hold_days,
        commissions.extension_days,
        commissions.ordered_at,
        {{ reporting_date('commissions.ordered_at') }} as order_date,
        commissions.matures_at,
        commissions.held_since,
        cast(commissions.held_rule as {{ varchar(64) }}) as held_rule
    from commissions
    left join
        due_amounts
        on
            commissions.order_line_id = due_amounts.order_line_id
            and commissions.affiliate_id = due_amounts.affiliate_id
    left join
        posted
        on
            commissions.order_line_id = posted.order_line_id
            and commissions.affiliate_id = posted.affiliate_id
    left join settled on commissions.affiliate_id = settled.affiliate_id
)

select * from final
