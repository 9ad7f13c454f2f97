with live as (
    {{ live_rows(source('raw_shop', 'commission_plans'), ['plan_id']) }}
),

affiliates as (select * from {{ ref('base_affiliate__affiliates') }}),

-- a plan is due when it begins, and waits for the affiliate whom it is for
final as (
    select
        live.*,
        greatest(live.valid_from, affiliates.due_at) as due_at
    from live
    left join
        affiliates
        on live._cell = affiliates._cell and live.affiliate_id = affiliates.affiliate_id
)

select * from final
