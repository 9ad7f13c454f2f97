with live as (
    {{ live_rows(source('raw_shop', 'products'), ['product_id']) }}
),

order_lines as (select * from {{ ref('base_shop__order_lines') }}),

refunds as (select * from {{ ref('base_shop__refunds') }}),

prices as (select * from {{ ref('base_shop__product_prices') }}),

movements as (select * from {{ ref('base_shop__inventory_movements') }}),

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
    union all
    select
        _cell,
        product_id,
        due_at
    from prices
    union all
    select
        _cell,
        product_id,
        due_at
    from movements
),

first_uses as (
    select
        _cell,
        product_id,
        min(due_at) as first_at
    from uses
    group by _cell, product_id
),

-- what a visible line, refund, price or movement names is visible, whatever the catalogue says
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
