with allocations as (select * from {{ source('solved', 'refund_allocations') }}),

final as (
    select
        cast(refund_id as {{ varchar(256) }}) as refund_id,
        cast(order_line_id as {{ varchar(256) }}) as order_line_id,
        cast(quantity as bigint) as quantity,
        cast(amount as decimal(18, 4)) as amount,
        cast(match_rule as {{ varchar(64) }}) as match_rule
    from allocations
)

select * from final
