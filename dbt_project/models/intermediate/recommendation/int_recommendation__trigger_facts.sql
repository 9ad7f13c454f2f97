with triggers as (select * from {{ ref('int_recommendation__triggers') }}),

customers as (select * from {{ ref('stg_shop__customers') }}),

products as (select * from {{ ref('stg_shop__products') }}),

blocked_categories as (select * from {{ ref('blocked_categories') }}),

inventory as (select * from {{ ref('stg_shop__inventory') }}),

prices as (select * from {{ ref('stg_shop__product_prices') }}),

orders as (
    select * from {{ ref('int_core__orders') }}
    where is_counted
),

order_lines as (
    select * from {{ ref('int_core__order_lines') }}
    where line_kind = 'product' and quantity > 0
),

contacts as (select * from {{ ref('int_recommendation__trigger_contacts') }}),

-- letter case of a product's code is folded for matching only
bought as (
    select distinct triggers.trigger_id
    from triggers
    inner join
        orders
        on
            triggers.customer_id = orders.customer_id
            and triggers.interested_at <= orders.ordered_at
            and triggers.decided_at >= orders.ordered_at
    inner join
        order_lines
        on
            orders.order_id = order_lines.order_id
            and upper(triggers.product_id) = upper(order_lines.product_id)
),

-- One e-mail about a product is enough for what the customer did before it, whatever its kind; and
-- one about a cart for all that was in it.
written as (
    select distinct triggers.trigger_id
    from triggers
    inner join
        contacts
        on
            triggers.customer_id = contacts.customer_id
            -- an e-mail without an id counts as any other
            and triggers.trigger_id <> coalesce(contacts.trigger_id, '')
            and triggers.decided_at >= contacts.contacted_at
    where
        (
            upper(triggers.product_id) = upper(contacts.product_id)
            and triggers.evidence_at <= contacts.contacted_at
        )
        or (
            upper(triggers.product_id) = upper(contacts.product_id)
            and triggers.kind = contacts.kind
            and triggers.decided_at < contacts.contacted_at
            + interval '{{ var("trigger_repeat_days") }} days'
        )
        or (
            triggers.kind = 'abandoned_cart'
            and contacts.kind = 'abandoned_cart'
            and triggers.evidence_at <= contacts.contacted_at
        )
),

blocked as (
    select
        lower(category) as category,
        min(coalesce(valid_from, date '1900-01-01')) as valid_from
    from blocked_categories
    group by lower(category)
),

final as (
    select
        triggers.trigger_id,
        coalesce(
            customers.marketing_consent
            and customers.account_status = 'active'
            and customers.merged_into is null,
            false
        ) as may_be_addressed,
        bought.trigger_id is not null as is_bought,
        written.trigger_id is not null as is_written,
        coalesce(products.is_active, false) as is_active,
        blocked.category is not null as is_blocked,
        -- a shop that counts no stock of a product may sell it
        coalesce(inventory.on_hand > 0, true) as is_in_stock,
        coalesce(prices.price > triggers.price, false) as is_dearer_again
    from triggers
    left join customers on triggers.customer_id = customers.customer_id
    left join products on triggers.product_id = products.product_id
    left join
        blocked
        on
            lower(trim(products.category)) = blocked.category
            and blocked.valid_from <= {{ reporting_date('triggers.decided_at') }}
    left join
        inventory
        on
            triggers.product_id = inventory.product_id
            and triggers.decided_at >= inventory.valid_from
            and (inventory.valid_to is null or triggers.decided_at < inventory.valid_to)
    left join
        prices
        on
            triggers.product_id = prices.product_id
            and triggers.decided_at >= prices.valid_from
            and (prices.valid_to is null or triggers.decided_at < prices.valid_to)
    left join bought on triggers.trigger_id = bought.trigger_id
    left join written on triggers.trigger_id = written.trigger_id
)

select * from final
