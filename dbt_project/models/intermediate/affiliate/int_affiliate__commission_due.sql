with due as (select * from {{ source('solved', 'commission_due') }}),

final as (
    select
        cast(affiliate_id as {{ varchar(256) }}) as affiliate_id,
        cast(order_line_id as {{ varchar(256) }}) as order_line_id,
        cast(cause_type as {{ varchar(64) }}) as cause_type,
        cast(cause_id as {{ varchar(256) }}) as cause_id,
        cast(currency as {{ varchar(3) }}) as currency,
        cast(amount as decimal(18, 2)) as amount,
        cast(rate as decimal(18, 8)) as rate,
        cast(fx_rate as decimal(18, 8)) as fx_rate,
        effective_at,
        matures_at,
        held_since
    from due
)

select * from final
