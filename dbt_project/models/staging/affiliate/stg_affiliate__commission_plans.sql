with plans as (select * from {{ ref('base_affiliate__commission_plans') }}),

final as (
    select
        cast(plan_id as {{ varchar(256) }}) as plan_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(affiliate_id as {{ varchar(256) }}) as affiliate_id,
        cast(category as {{ varchar(256) }}) as category,
        cast(tier as integer) as tier,
        cast(tier_min_sales as decimal(18, 4)) as tier_min_sales,
        cast(rate as decimal(18, 8)) as rate,
        cast(window_days as integer) as window_days,
        cast(hold_days as integer) as hold_days,
        valid_from,
        valid_to,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from plans
    where {{ is_due() }}
)

select * from final
