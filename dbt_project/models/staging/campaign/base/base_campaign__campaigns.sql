with live as (
    {{ live_rows(source('raw_shop', 'campaigns'), ['campaign_id']) }}
)

select * from live
