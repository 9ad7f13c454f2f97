-- each month opens with what the one before closed with, closed months and open ones; a month may
-- be absent only where an account without a balance had nothing to tell
with statements as (select * from {{ ref('affiliate__statements') }}),

followed as (
    select
        affiliate_id,
        currency,
        period,
        opening,
        lag(period) over (
            partition by affiliate_id, currency order by period
        ) as period_before,
        lag(closing) over (
            partition by affiliate_id, currency order by period
        ) as closing_before
    from statements
)

select
    affiliate_id,
    currency,
    period,
    opening,
    closing_before
from followed
where
    opening <> coalesce(closing_before, 0)
    or closing_before <> 0
    and period <> cast(date_trunc('month', period_before + 31) as date)
