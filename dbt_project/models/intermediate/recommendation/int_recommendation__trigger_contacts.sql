with sends as (select * from {{ ref('stg_activity__trigger_sends') }}),

handed_out as (
    select * from {{ source('ledger', 'trigger_outbox') }}
    where exported_at <= {{ as_of() }}
),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

unioned as (
    select
        trigger_id,
        customer_id,
        product_id,
        kind,
        sent_at as contacted_at,
        'sent' as status
    from sends
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
