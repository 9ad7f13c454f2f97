-- the same payments and the same money, in the source's currencies, at every layer
with waiting as (
    select
        count(*) as row_count,
        sum(amount) as amount
    from {{ ref('base_billing__payments') }}
    where not {{ is_due() }}
),

raw_payments as (
    select
        count(*) as row_count,
        sum(amount) as amount
    from {{ source('raw_shop', 'payments') }}
    where _deleted_at is null
),

unconverted as (
    select
        count(*) as row_count,
        sum(payments.amount) as amount
    from {{ ref('stg_billing__payments') }} as payments
    inner join
        {{ ref('int_meta__unconverted') }} as left_out
        on payments.payment_id = left_out.id and left_out.kind = 'payment'
),

core as (
    select
        count(*) as row_count,
        sum(source_amount) as amount
    from {{ ref('core__payments') }}
)

select
    raw_payments.row_count as raw_rows,
    waiting.row_count as waiting_rows,
    unconverted.row_count as unconverted_rows,
    core.row_count as core_rows,
    raw_payments.amount as raw_amount,
    waiting.amount as waiting_amount,
    unconverted.amount as unconverted_amount,
    core.amount as core_amount
from raw_payments
cross join waiting
cross join unconverted
cross join core
where
    raw_payments.row_count <> core.row_count + unconverted.row_count + waiting.row_count
    or coalesce(raw_payments.amount, 0)
    <> coalesce(core.amount, 0) + coalesce(unconverted.amount, 0) + coalesce(waiting.amount, 0)
