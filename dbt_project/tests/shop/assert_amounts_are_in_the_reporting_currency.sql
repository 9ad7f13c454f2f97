-- no rates are loaded yet: an amount in another currency cannot become a reporting amount
with documents as (
    select
        'order' as document,
        order_id as document_id,
        currency,
        _load_id
    from {{ ref('stg_shop__orders') }}
    union all
    select
        'refund' as document,
        refund_id as document_id,
        currency,
        _load_id
    from {{ ref('stg_shop__refunds') }}
    union all
    select
        'product' as document,
        product_id as document_id,
        currency,
        _load_id
    from {{ ref('stg_shop__products') }}
    where list_price is not null
    union all
    select
        'spend' as document,
        campaign_id as document_id,
        currency,
        _load_id
    from {{ ref('stg_campaign__spend') }}
)

select
    document,
    document_id,
    currency,
    'amount is not in {{ var("reporting_currency") }}' as problem,
    _load_id
from documents
where currency is null or currency <> '{{ var("reporting_currency") }}'
