with customers as (select * from {{ ref('stg_shop__customers') }}),

final as (
    select
        customer_id,
        cell,
        email_hash
    from customers
    where marketing_consent and account_status = 'active' and merged_into is null
)

select * from final
