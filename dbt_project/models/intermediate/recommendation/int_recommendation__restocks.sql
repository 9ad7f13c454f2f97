{{ config(materialized='view') }}

with inventory as (select * from {{ ref('stg_shop__inventory') }}),

changes as (
    select
        product_id,
        valid_from,
        on_hand,
        lag(on_hand) over (partition by product_id order by valid_from) as on_hand_before,
        last_value(case when on_hand > 0 then valid_to end ignore nulls) over (
            partition by product_id
            order by valid_from
            rows between unbounded preceding and 1 preceding
        ) as sold_out_at
    from inventory
),

-- the first delivery of a new product is no return
final as (
    select
        product_id,
        sold_out_at,
        valid_from as restocked_at
    from changes
    where on_hand > 0 and on_hand_before <= 0 and sold_out_at is not null
)

select * from final
