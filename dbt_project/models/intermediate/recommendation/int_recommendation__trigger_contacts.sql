with sends as (select * from {{ ref('stg_activity__trigger_sends') }}),

handed_out as (
    select * from {{ source('ledger', 'trigger_outbox') }}
    where exported_at <= {{ as_of() }}
),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

-- a trigger that two cells say was sent was sent once, at the earlier time
numbered as (
    select
        *,
        row_number() over (
            partition by trigger_id
            order by case when sent_at is null then 1 else 0 end asc, sent_at asc, cell asc
        ) as place
    from sends
),

-- What the e-mail tool left out of a row is as it was handed out; a trigger with such a row was
-- sent all the same.
unioned as (
    select
        numbered.trigger_id,
        coalesce(numbered.customer_id, handed_out.customer_id) as customer_id,
        coalesce(numbered.product_id, handed_out.product_id) as product_id,
        coalesce(numbered.kind, handed_out.kind) as kind,
        coalesce(numbered.sent_at, handed_out.exported_at) as contacted_at,
        'sent' as status
    from numbered
    left join handed_out on numbered.trigger_id = handed_out.trigger_id
    where numbered.place = 1 or numbered.trigger_id is null
    union all
    select
        handed_out.trigger_id,
        handed_out.customer_id,
        handed_out.product_id,
        handed_out.kind,
        handed_out.exported_at as contacted_at,
        'exported' as status
    from handed_out
    left join sends on handed_out.trigger_id = sends.trigger_id
    where sends.trigger_id is null
),

-- an e-mail to an account that was merged since went to the person who has the surviving one
final as (
    select
        unioned.trigger_id,
        coalesce(customer_aliases.customer_id, unioned.customer_id) as customer_id,
        unioned.product_id,
        unioned.kind,
        unioned.contacted_at,
        unioned.status
    from unioned
    left join
        customer_aliases
        on unioned.customer_id = customer_aliases.merged_customer_id
)

select * from final
