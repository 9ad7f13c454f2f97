-- by the touches that it considers, or by the one row that says why there is none
with explained as (
    select
        order_id,
        count(case when is_considered then 1 end) as considered_count,
        count(case when touchpoint_id = '(none)' then 1 end) as none_count
    from {{ ref('campaign__path_explanations') }}
    where order_id is not null
    group by order_id
),

orders as (
    select * from {{ ref('core__orders') }}
    where is_counted
)

select
    coalesce(orders.order_id, explained.order_id) as order_id,
    explained.considered_count,
    explained.none_count
from orders
full outer join explained on orders.order_id = explained.order_id
where
    orders.order_id is null
    or explained.order_id is null
    or (explained.considered_count = 0) <> (explained.none_count = 1)
    or explained.none_count > 1
