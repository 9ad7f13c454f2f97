with activity as (
    select coalesce(sum(spend), 0) as amount
    from {{ ref('campaign__activity_daily') }}
),

bills as (
    select coalesce(sum(amount), 0) as amount
    from {{ ref('stg_campaign__spend') }}
)

select
    activity.amount as activity_spend,
    bills.amount as billed
from activity
cross join bills
where activity.amount <> bills.amount
