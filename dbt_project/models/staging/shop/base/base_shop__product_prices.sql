with live as (
    {{ live_rows(source('raw_shop', 'product_prices'), ['product_id', 'valid_from']) }}
),

final as (
    select
        live.*,
        live.valid_from as due_at
    from live
)

select * from final
