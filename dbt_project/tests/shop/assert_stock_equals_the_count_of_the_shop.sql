-- The shop's own count, where no movement waits for a later as_of. Only warned of: the books of a
-- shop can be wrong, and the certificates tell whether a row was lost on the way.
{{ config(severity='warn') }}

with counted as (select * from {{ ref('base_shop__inventory') }}),

movements as (select * from {{ ref('base_shop__inventory_movements') }}),

inventory as (select * from {{ ref('stg_shop__inventory') }}),

waiting as (
    select distinct
        _cell,
        product_id
    from movements
    where not {{ is_due() }}
)

select
    counted.product_id,
    counted.on_hand as counted_on_hand,
    inventory.on_hand,
    counted._load_id
from counted
left join
    inventory
    on
        counted._cell = inventory.cell
        and counted.product_id = inventory.product_id
        and inventory.valid_to is null
left join
    waiting
    on counted._cell = waiting._cell and counted.product_id = waiting.product_id
where waiting.product_id is null and counted.on_hand <> coalesce(inventory.on_hand, 0)
