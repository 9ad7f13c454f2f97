-- an amount in the reporting currency is the source's own, to the last place
select
    'order line' as kind,
    order_line_id as id,
    line_amount as amount,
    source_amount
from {{ ref('int_core__order_lines') }}
where currency = '{{ var("reporting_currency") }}' and line_amount <> source_amount
union all
select
    'refund' as kind,
    refund_id as id,
    amount,
    source_amount
from {{ ref('int_core__refunds') }}
where currency = '{{ var("reporting_currency") }}' and amount <> source_amount
