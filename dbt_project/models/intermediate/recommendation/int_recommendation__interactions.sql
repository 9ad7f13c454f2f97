{#- Written once, as the mart; what counts baskets reads three columns of it. -#}
{{ config(materialized='view') }}
{%- set kinds = ['view', 'search_click', 'wishlist', 'cart', 'purchase'] -%}

with candidates as (
    select * from {{ ref('int_recommendation__candidates') }}
    where exclusion is null
),

session_events as (select * from {{ ref('int_core__session_events') }}),

-- an order that names no visitor is in no session
resolved as (
    select
        candidates.*,
        session_events.session_id,
        coalesce(session_events.customer_id, candidates.customer_id) as resolved_customer_id
    from candidates
    left join
        session_events
        on
            candidates.source_rank = session_events.source_rank
            and candidates.event_id = session_events.event_id
),

final as (
    select
        kind || ' ' || row_id as interaction_id,
        kind,
        case
            when resolved_customer_id is not null then 'customer ' || resolved_customer_id
            when visitor_id is not null then 'visitor ' || visitor_id
            -- who gave no name in the shop buys once, as far as anybody can tell
            else 'order ' || order_id
        end as actor_key,
        resolved_customer_id as customer_id,
        session_id,
        cart_id,
        order_id,
        product_id,
        quantity,
        occurred_at,
        case kind
            {%- for name in kinds %}
            when '{{ name }}' then {{ interaction_weight(name) }}
            {%- endfor %}
        end as weight,
        cell
    from resolved
)

select * from final
