with affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

customers as (select * from {{ ref('stg_shop__customers') }}),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

visitor_events as (select * from {{ ref('int_core__visitor_events') }}),

accounts as (
    select
        affiliates.affiliate_id,
        affiliates.customer_id as account_id,
        coalesce(customer_aliases.customer_id, affiliates.customer_id) as customer_id,
        customer_aliases.customer_id is not null as is_merged
    from affiliates
    left join customer_aliases on affiliates.customer_id = customer_aliases.merged_customer_id
    where affiliates.customer_id <> ''
),

-- the e-mail of the account and of the one that it was merged into
emails as (
    select distinct
        accounts.affiliate_id,
        customers.email_hash
    from accounts
    inner join
        customers
        on
            accounts.account_id = customers.customer_id
            or accounts.customer_id = customers.customer_id
    where customers.email_hash <> ''
),

named as (
    select
        affiliate_id,
        customer_id,
        case when is_merged then 2 else 1 end as rule_rank,
        case when is_merged then 'merged_account' else 'own_account' end as rule
    from accounts
    union all
    select
        emails.affiliate_id,
        coalesce(customer_aliases.customer_id, customers.customer_id) as customer_id,
        3 as rule_rank,
        'same_email' as rule
    from emails
    inner join customers on emails.email_hash = customers.email_hash
    left join customer_aliases on customers.customer_id = customer_aliases.merged_customer_id
),

own_customers as (
    select
        affiliate_id,
        customer_id,
        rule
    from named
    qualify
        row_number() over (partition by affiliate_id, customer_id order by rule_rank) = 1
),

-- the browsers that they signed in on
devices as (
    select
        own_customers.affiliate_id,
        visitor_events.visitor_id,
        min(visitor_events.occurred_at) as first_at,
        max(visitor_events.occurred_at) as last_at
    from visitor_events
    inner join own_customers on visitor_events.customer_id = own_customers.customer_id
    where visitor_events.visitor_id is not null
    group by own_customers.affiliate_id, visitor_events.visitor_id
),

final as (
    select
        affiliate_id,
        'customer' as identity_kind,
        customer_id as identity_id,
        rule,
        cast(null as timestamptz) as first_at,
        cast(null as timestamptz) as last_at
    from own_customers
    union all
    select
        affiliate_id,
        'visitor' as identity_kind,
        visitor_id as identity_id,
        'own_device' as rule,
        first_at,
        last_at
    from devices
)

select * from final
