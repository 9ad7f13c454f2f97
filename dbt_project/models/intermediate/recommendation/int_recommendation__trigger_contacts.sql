with sends as (select * from {{ ref('stg_activity__trigger_sends') }}),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

-- an e-mail to an account that was merged since went to the person who has the surviving one
final as (
    select
        sends.trigger_id,
        coalesce(customer_aliases.customer_id, sends.customer_id) as customer_id,
        sends.product_id,
        sends.kind,
        sends.sent_at as contacted_at,
        'sent' as status
    from sends
    left join
        customer_aliases
        on sends.customer_id = customer_aliases.merged_customer_id
)

select * from final
