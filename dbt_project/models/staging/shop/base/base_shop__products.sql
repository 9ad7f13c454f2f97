with live as (
    {{ live_rows(source('raw_shop', 'products'), ['product_id']) }}
),

order_lines as (select * from {{ ref('base_shop__order_lines') }}),

refunds as (select * from {{ ref('base_shop__refunds') }}),

uses as (
    select
        _cell,
        product_id,
        due_at
    from order_lines
    union all
    select
        _cell,
        product_id,
        due_at
    from refunds
),

first_uses as (
    select
        _cell,
        product_id,
        min(due_at) as first_at
    from uses
    group by _cell, product_id
),

-- what a visible line or refund names is visible, whatever the catalogue says of its creation
final as (
    select
        live.*,
        least(live.created_at, first_uses.first_at) as due_at
    from live
    left join
        first_uses
        on live._cell = first_uses._cell and live.product_id = first_uses.product_id
)

select * from final
