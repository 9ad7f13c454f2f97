with live as (
    {{ live_rows(source('raw_shop', 'ad_spend'), ['spend_date', 'campaign_id']) }}
),

-- the spend of a day is due when the shop's day begins
final as (
    select
        live.*,
        {{ day_start('live.spend_date') }} as due_at
    from live
)

select * from final
