with live as (
    {{ live_rows(source('raw_shop', 'users'), ['user_id']) }}
),

orders as (select * from {{ ref('base_shop__orders') }}),

refunds as (select * from {{ ref('base_shop__refunds') }}),

documents as (
    select
        _cell,
        user_id,
        due_at
    from orders
    union all
    select
        _cell,
        user_id,
        due_at
    from refunds
),

first_documents as (
    select
        _cell,
        user_id,
        min(due_at) as first_at
    from documents
    where user_id is not null
    group by _cell, user_id
),

-- whom a visible order or refund names is visible, whatever the account says of its creation
dated as (
    select
        live.*,
        least(live.created_at, first_documents.first_at) as due_at
    from live
    left join
        first_documents
        on live._cell = first_documents._cell and live.user_id = first_documents.user_id
),

final as (
    select
        dated.*,
        survivors.due_at as survivor_due_at
    from dated
    left join
        dated as survivors
        on dated._cell = survivors._cell and dated.merged_into = survivors.user_id
)

select * from final
