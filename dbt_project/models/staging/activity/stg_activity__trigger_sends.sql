with sends as (select * from {{ ref('base_activity__trigger_sends') }}),

final as (
    select
        cast(trigger_id as {{ varchar(256) }}) as trigger_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(customer_id as {{ varchar(256) }}) as customer_id,
        cast(product_id as {{ varchar(256) }}) as product_id,
        cast(kind as {{ varchar(64) }}) as kind,
        due_at as sent_at,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from sends
    where {{ is_due() }}
)

select * from final
