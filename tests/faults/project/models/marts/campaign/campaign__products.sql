select product_id, count(*) as orders, sum(amount) as amount
from {{ ref('int_s__sales') }}
group by product_id
