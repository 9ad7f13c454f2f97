{%- set models = [
    'first_touch', 'last_touch', 'last_non_direct',
    'linear', 'position_based', 'time_decay', 'markov', 'shapley',
] -%}

-- by each of the models, order by order
with attributed as (
    select
        order_id,
        model,
        sum(credit) as credit,
        sum(attributed_revenue) as attributed_revenue,
        sum(attributed_net_revenue) as attributed_net_revenue
    from {{ ref('campaign__attribution') }}
    group by order_id, model
),

models as (
    {%- for model in models %}
    select '{{ model }}' as model
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

orders as (
    select
        orders.order_id,
        models.model,
        orders.gross_revenue,
        orders.net_revenue
    from {{ ref('core__orders') }} as orders
    cross join models
    where orders.is_counted
)

select
    coalesce(orders.order_id, attributed.order_id) as order_id,
    coalesce(orders.model, attributed.model) as model,
    orders.gross_revenue,
    attributed.attributed_revenue,
    orders.net_revenue,
    attributed.attributed_net_revenue
from orders
full outer join attributed
    on orders.order_id = attributed.order_id and orders.model = attributed.model
where
    orders.order_id is null
    or attributed.order_id is null
    or attributed.credit <> 1
    or orders.gross_revenue <> attributed.attributed_revenue
    or orders.net_revenue <> attributed.attributed_net_revenue
