with fx_rates as (select * from {{ ref('base_finance__fx_rates') }}),

final as (
    select
        rate_date,
        cast(currency as {{ varchar(64) }}) as currency,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(rate as decimal(18, 8)) as rate,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from fx_rates
    where {{ is_due() }}
)

select * from final
