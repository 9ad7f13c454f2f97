with live as (
    {{ live_rows(source('raw_shop', 'payments'), ['payment_id']) }}
),

-- a payment does not wait for its order: the provider reports it when it happens
final as (
    select
        live.*,
        live.paid_at as due_at
    from live
)

select * from final
