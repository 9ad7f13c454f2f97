select
    orders.*,
    orders.quantity * products.price as amount
from {{ ref('stg_s__orders') }} as orders
left join {{ ref('stg_s__products') }} as products using (product_id)
