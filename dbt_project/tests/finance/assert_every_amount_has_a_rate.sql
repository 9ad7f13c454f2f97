{{ config(severity='warn') }}

-- a warning: one unknown currency holds back its own documents, not the whole version
select
    kind,
    id,
    currency,
    rate_date,
    'no exchange rate of the day or the {{ var("rate_lifetime_days") }} days before it' as problem
from {{ ref('int_meta__unconverted') }}
