with movements as (select * from {{ ref('stg_shop__inventory_movements') }}),

final as (
    select
        {{ reporting_date('moved_at') }} as movement_date,
        product_id,
        cell,
        cast(sum(case when kind = 'receipt' then quantity else 0 end) as bigint)
            as received_quantity,
        -- what is sold leaves the stock
        cast(sum(case when kind = 'sale' then -quantity else 0 end) as bigint) as sold_quantity,
        cast(sum(case when kind = 'return' then quantity else 0 end) as bigint)
            as returned_quantity,
        cast(sum(case when kind = 'adjustment' then quantity else 0 end) as bigint)
            as adjusted_quantity
    from movements
    group by {{ reporting_date('moved_at') }}, product_id, cell
)

select * from final
