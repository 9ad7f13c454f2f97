with payments as (select * from {{ ref('base_billing__payments') }}),

final as (
    select
        cast(payment_id as {{ varchar(256) }}) as payment_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(order_id as {{ varchar(256) }}) as order_id,
        cast(kind as {{ varchar(64) }}) as kind,
        cast(amount as decimal(18, 4)) as amount,
        cast(currency as {{ varchar(64) }}) as currency,
        cast(status as {{ varchar(64) }}) as status,
        paid_at,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from payments
    where {{ is_due() }}
)

select * from final
