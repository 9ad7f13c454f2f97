with allocations as (select * from {{ ref('int_core__refund_allocations') }}),

final as (
    select
        refund_id,
        order_line_id,
        quantity,
        amount,
        match_rule
    from allocations
)

select * from final
