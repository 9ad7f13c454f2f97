with order_lines as (select * from {{ ref('base_shop__order_lines') }}),

line_kinds as (select * from {{ ref('line_kinds') }}),

-- the code says the kind; else a line without a price and a customer only corrects the stock
final as (
    select
        cast(order_lines.order_line_id as {{ varchar(256) }}) as order_line_id,
        cast(order_lines._cell as {{ varchar(64) }}) as cell,
        cast(order_lines.order_id as {{ varchar(256) }}) as order_id,
        cast(order_lines.product_id as {{ varchar(256) }}) as product_id,
        cast(
            case
                when line_kinds.line_kind is not null then line_kinds.line_kind
                when order_lines.unit_price = 0 and order_lines.user_id is null then 'adjustment'
                else 'product'
            end as {{ varchar(64) }}
        ) as line_kind,
        cast(order_lines.quantity as bigint) as quantity,
        cast(order_lines.unit_price as decimal(18, 4)) as unit_price,
        cast(order_lines.quantity * order_lines.unit_price as decimal(18, 4)) as line_amount,
        cast(order_lines._load_id as {{ varchar(64) }}) as _load_id
    from order_lines
    left join line_kinds on lower(order_lines.product_id) = line_kinds.product_code
    where {{ is_due() }}
)

select * from final
