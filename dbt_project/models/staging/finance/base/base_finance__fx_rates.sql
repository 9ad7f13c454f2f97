with live as (
    {{ live_rows(source('raw_shop', 'fx_rates'), ['rate_date', 'currency']) }}
),

-- the rate of a day is due when the shop's day begins
final as (
    select
        live.*,
        {{ day_start('live.rate_date') }} as due_at
    from live
)

select * from final
