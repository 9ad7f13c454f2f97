with live as (
    {{ live_rows(source('raw_shop', 'orders'), ['order_id']) }}
),

final as (
    select
        live.*,
        live.ordered_at as due_at
    from live
)

select * from final
