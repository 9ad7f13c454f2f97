with visitors as (select * from {{ ref('int_core__visitor_prints') }}),

order_events as (
    select * from {{ ref('int_core__session_events') }}
    where event_type = 'order'
),

revenues as (select * from {{ ref('int_campaign__order_revenues') }}),

-- a visitor's events, and what the orders among them bring
parts as (
    select
        key_hash,
        digest
    from visitors
    union all
    select
        {{ row_hash(['order_events.visitor_key']) }} as key_hash,
        cast(
            {{ row_hash(['revenues.order_id', 'revenues.gross_revenue', 'revenues.net_revenue']) }}
            as decimal(38, 0)
        ) as digest
    from order_events
    inner join revenues on order_events.event_id = revenues.order_id
),

final as (
    select
        key_hash,
        {{ rows_print('digest') }} as digest
    from parts
    group by key_hash
)

select * from final
