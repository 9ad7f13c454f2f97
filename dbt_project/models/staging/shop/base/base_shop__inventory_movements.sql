with live as (
    {{ live_rows(source('raw_shop', 'inventory_movements'), ['movement_id']) }}
),

final as (
    select
        live.*,
        live.moved_at as due_at
    from live
)

select * from final
