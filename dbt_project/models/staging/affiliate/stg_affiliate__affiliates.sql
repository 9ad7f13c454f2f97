with affiliates as (select * from {{ ref('base_affiliate__affiliates') }}),

final as (
    select
        cast(affiliate_id as {{ varchar(256) }}) as affiliate_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(name as {{ varchar(1024) }}) as name,
        cast(user_id as {{ varchar(256) }}) as customer_id,
        cast(status as {{ varchar(64) }}) as status,
        coalesce(updated_at, joined_at) as status_since,
        joined_at,
        cast(payout_currency as {{ varchar(64) }}) as payout_currency,
        cast(minimum_payout as decimal(18, 4)) as minimum_payout,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from affiliates
    where {{ is_due() }}
)

select * from final
