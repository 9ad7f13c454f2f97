-- the same lines and the same money, in the source's currencies, at every layer: nothing is lost,
-- no join multiplies a row
with waiting as (
    select
        count(*) as row_count,
        sum(quantity * unit_price) as amount
    from {{ ref('base_shop__order_lines') }}
    where not {{ is_due() }}
),

raw_lines as (
    select
        count(*) as row_count,
        sum(quantity * unit_price) as amount
    from {{ source('raw_shop', 'order_lines') }}
    where _deleted_at is null
),

staged as (
    select
        count(*) as row_count,
        count(distinct order_line_id) as key_count,
        sum(line_amount) as amount
    from {{ ref('stg_shop__order_lines') }}
),

unconverted as (
    select
        count(*) as row_count,
        sum(order_lines.line_amount) as amount
    from {{ ref('stg_shop__order_lines') }} as order_lines
    inner join
        {{ ref('int_meta__unconverted') }} as orders
        on order_lines.order_id = orders.id and orders.kind = 'order'
),

converted as (
    select
        count(*) as row_count,
        sum(source_amount) as source_amount,
        sum(line_amount) as amount
    from {{ ref('int_core__order_lines') }}
),

core as (
    select
        count(*) as row_count,
        sum(line_amount) as amount
    from {{ ref('core__order_lines') }}
)

select
    raw_lines.row_count as raw_rows,
    waiting.row_count as waiting_rows,
    staged.row_count as staging_rows,
    unconverted.row_count as unconverted_rows,
    converted.row_count as converted_rows,
    core.row_count as core_rows,
    raw_lines.amount as raw_amount,
    waiting.amount as waiting_amount,
    staged.amount as staging_amount,
    unconverted.amount as unconverted_amount,
    converted.source_amount as converted_amount,
    converted.amount as reporting_amount,
    core.amount as core_amount
from raw_lines
cross join waiting
cross join staged
cross join unconverted
cross join converted
cross join core
where
    raw_lines.row_count <> staged.row_count + waiting.row_count
    or staged.key_count <> staged.row_count
    or staged.row_count <> converted.row_count + unconverted.row_count
    or converted.row_count <> core.row_count
    or coalesce(raw_lines.amount, 0) <> coalesce(staged.amount, 0) + coalesce(waiting.amount, 0)
    or coalesce(staged.amount, 0)
    <> coalesce(converted.source_amount, 0) + coalesce(unconverted.amount, 0)
    or coalesce(converted.amount, 0) <> coalesce(core.amount, 0)
