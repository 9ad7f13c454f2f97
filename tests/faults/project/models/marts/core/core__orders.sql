select order_id, product_id, quantity, placed_at, amount from {{ ref('int_s__sales') }}
