with live as (
    {{ live_rows(source('raw_shop', 'affiliates'), ['affiliate_id']) }}
),

users as (select * from {{ ref('base_shop__users') }}),

-- an affiliate waits for their own account
final as (
    select
        live.*,
        greatest(live.joined_at, users.due_at) as due_at
    from live
    left join users on live._cell = users._cell and live.user_id = users.user_id
)

select * from final
