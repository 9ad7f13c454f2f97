-- the same refund lines and the same money, in the source's currencies, at every layer
with waiting as (
    select
        count(*) as row_count,
        sum(amount) as amount
    from {{ ref('base_shop__refunds') }}
    where not {{ is_due() }}
),

raw_refunds as (
    select
        count(*) as row_count,
        sum(amount) as amount
    from {{ source('raw_shop', 'refunds') }}
    where _deleted_at is null
),

staged as (
    select
        count(*) as row_count,
        count(distinct refund_id) as key_count,
        sum(amount) as amount
    from {{ ref('stg_shop__refunds') }}
),

unconverted as (
    select
        count(*) as row_count,
        sum(refunds.amount) as amount
    from {{ ref('stg_shop__refunds') }} as refunds
    inner join
        {{ ref('int_meta__unconverted') }} as left_out
        on refunds.refund_id = left_out.id and left_out.kind = 'refund'
),

converted as (
    select
        count(*) as row_count,
        sum(source_amount) as source_amount,
        sum(amount) as amount
    from {{ ref('int_core__refunds') }}
),

core as (
    select
        count(*) as row_count,
        sum(amount) as amount
    from {{ ref('core__refunds') }}
)

select
    raw_refunds.row_count as raw_rows,
    waiting.row_count as waiting_rows,
    staged.row_count as staging_rows,
    unconverted.row_count as unconverted_rows,
    converted.row_count as converted_rows,
    core.row_count as core_rows,
    raw_refunds.amount as raw_amount,
    waiting.amount as waiting_amount,
    staged.amount as staging_amount,
    unconverted.amount as unconverted_amount,
    converted.source_amount as converted_amount,
    converted.amount as reporting_amount,
    core.amount as core_amount
from raw_refunds
cross join waiting
cross join staged
cross join unconverted
cross join converted
cross join core
where
    raw_refunds.row_count <> staged.row_count + waiting.row_count
    or staged.key_count <> staged.row_count
    or staged.row_count <> converted.row_count + unconverted.row_count
    or converted.row_count <> core.row_count
    or coalesce(raw_refunds.amount, 0) <> coalesce(staged.amount, 0) + coalesce(waiting.amount, 0)
    or coalesce(staged.amount, 0)
    <> coalesce(converted.source_amount, 0) + coalesce(unconverted.amount, 0)
    or coalesce(converted.amount, 0) <> coalesce(core.amount, 0)
