-- by kind: received = kept + excluded, without one more or less
with received as (
    select
        event_type as kind,
        count(*) as received
    from {{ ref('stg_activity__product_events') }}
    group by event_type
    union all
    select
        'search_click' as kind,
        count(*) as received
    from {{ ref('stg_activity__searches') }}
    where clicked_product_id <> ''
    union all
    select
        'cart' as kind,
        count(*) as received
    from {{ ref('stg_activity__cart_events') }}
    where action = 'add'
    union all
    select
        'purchase' as kind,
        count(*) as received
    from {{ ref('int_core__order_lines') }}
    where line_kind = 'product'
),

kept as (
    select
        kind,
        count(*) as kept
    from {{ ref('recommendation__interactions') }}
    group by kind
),

excluded as (
    select
        kind,
        sum(interaction_count) as excluded
    from {{ ref('recommendation__excluded_interactions_daily') }}
    group by kind
)

select
    received.kind,
    received.received,
    kept.kept,
    excluded.excluded
from received
left join kept on received.kind = kept.kind
left join excluded on received.kind = excluded.kind
where received.received <> coalesce(kept.kept, 0) + coalesce(excluded.excluded, 0)
