with order_rates as (select * from {{ ref('int_finance__order_rates') }}),

refund_rates as (select * from {{ ref('int_finance__refund_rates') }}),

payment_rates as (select * from {{ ref('int_finance__payment_rates') }}),

spend_rates as (select * from {{ ref('int_finance__spend_rates') }}),

product_rates as (select * from {{ ref('int_finance__product_rates') }}),

final as (
    select
        'order' as kind,
        order_id as id,
        currency,
        rate_date
    from order_rates
    where rate is null
    union all
    select
        'refund' as kind,
        refund_id as id,
        currency,
        rate_date
    from refund_rates
    where rate is null
    union all
    select
        'payment' as kind,
        payment_id as id,
        currency,
        rate_date
    from payment_rates
    where rate is null
    union all
    select
        'spend' as kind,
        campaign_id as id,
        currency,
        spend_date as rate_date
    from spend_rates
    where rate is null
    union all
    select
        'list price' as kind,
        product_id as id,
        currency,
        rate_date
    from product_rates
    where rate is null
)

select * from final
