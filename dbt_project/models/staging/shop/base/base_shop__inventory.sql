with live as (
    {{ live_rows(source('raw_shop', 'inventory'), ['product_id']) }}
)

select * from live
