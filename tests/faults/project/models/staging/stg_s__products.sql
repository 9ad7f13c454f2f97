select
    cast(product_id as bigint) as product_id,
    cast(price as decimal(18, 4)) as price
from {{ source('raw_s', 'products') }}
where _deleted_at is null
