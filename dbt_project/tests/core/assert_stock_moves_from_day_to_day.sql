-- each product has every day once, and its stock is the day before's with the day's movements
with days as (
    select
        *,
        lag(inventory_date) over (
            partition by cell, product_id order by inventory_date
        ) as previous_date,
        lag(on_hand) over (partition by cell, product_id order by inventory_date) as opening
    from {{ ref('core__inventory_daily') }}
)

select
    inventory_date,
    product_id,
    opening,
    on_hand
from days
where
    on_hand
    <> coalesce(opening, 0) + received_quantity - sold_quantity
    + returned_quantity + adjusted_quantity
    or previous_date + 1 <> inventory_date
