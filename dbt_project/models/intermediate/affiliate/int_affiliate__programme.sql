with plans as (select * from {{ ref('stg_affiliate__commission_plans') }}),

rules as (select * from {{ ref('int_affiliate__rules') }}),

partners as (
    select * from {{ ref('int_affiliate__partner_prints') }}
    where affiliate_id = '(none)'
),

windows as (
    select window_days * 24 as window_hours
    from plans
    union all
    select
        greatest(
            coalesce(click_window_hours, 0),
            no_plan_window_days * 24,
            case
                when cart_window_hours is not null
                    then cart_expiry_days * 24 + cart_window_hours
                else 0
            end
        ) as window_hours
    from rules
),

final as (
    select
        max(windows.window_hours) as longest_hours,
        max(partners.digest) as digest
    from windows
    cross join partners
)

select * from final
