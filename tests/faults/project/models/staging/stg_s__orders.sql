select
    cast(order_id as bigint) as order_id,
    cast(product_id as bigint) as product_id,
    cast(quantity as bigint) as quantity,
    cast(placed_at as timestamptz) as placed_at
from {{ source('raw_s', 'orders') }}
where _deleted_at is null
