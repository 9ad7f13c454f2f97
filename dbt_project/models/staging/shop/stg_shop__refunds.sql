with refunds as (select * from {{ ref('base_shop__refunds') }}),

line_kinds as (select * from {{ ref('line_kinds') }}),

-- the same rule as for order lines
final as (
    select
        cast(refunds.refund_id as {{ varchar(256) }}) as refund_id,
        cast(refunds._cell as {{ varchar(64) }}) as cell,
        cast(refunds.refund_document_id as {{ varchar(256) }}) as refund_document_id,
        cast(refunds.order_id as {{ varchar(256) }}) as order_id,
        cast(refunds.order_line_id as {{ varchar(256) }}) as order_line_id,
        cast(refunds.user_id as {{ varchar(256) }}) as customer_id,
        cast(refunds.product_id as {{ varchar(256) }}) as product_id,
        cast(
            case
                when line_kinds.line_kind is not null then line_kinds.line_kind
                when refunds.unit_price = 0 and refunds.user_id is null then 'adjustment'
                else 'product'
            end as {{ varchar(64) }}
        ) as line_kind,
        cast(refunds.quantity as bigint) as quantity,
        cast(refunds.unit_price as decimal(18, 4)) as unit_price,
        cast(refunds.amount as decimal(18, 4)) as amount,
        cast(refunds.currency as {{ varchar(64) }}) as currency,
        cast(refunds.country as {{ varchar(256) }}) as country,
        refunds.refunded_at,
        cast(refunds._load_id as {{ varchar(64) }}) as _load_id
    from refunds
    left join line_kinds on lower(refunds.product_id) = line_kinds.product_code
    where {{ is_due() }}
)

select * from final
