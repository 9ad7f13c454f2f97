with lines as (select * from {{ ref('int_affiliate__lines') }}),

order_partners as (select * from {{ ref('int_affiliate__order_partners') }}),

order_keys as (select * from {{ ref('int_affiliate__order_keys') }}),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

rules as (
    select * from {{ ref('int_affiliate__rules') }}
    where cart_window_hours is not null
),

cart_events as (
    select * from {{ ref('stg_activity__cart_events') }}
    where action = 'add'
),

-- nothing is looked up in carts where no affiliate has the rule
wanted as (
    select
        lines.order_line_id,
        lines.order_id,
        lines.product_code,
        order_partners.affiliate_id,
        rules.cart_expiry_days
    from lines
    inner join order_partners on lines.order_id = order_partners.order_id
    inner join
        rules
        on
            order_partners.affiliate_id = rules.affiliate_id
            and lines.order_date >= rules.valid_from
            and lines.order_date < rules.valid_before
),

added as (
    select
        'visitor ' || visitor_id as cart_key,
        lower(product_id) as product_code,
        occurred_at
    from cart_events
    where nullif(visitor_id, '') is not null
    union all
    select
        'customer ' || coalesce(customer_aliases.customer_id, cart_events.customer_id) as cart_key,
        lower(cart_events.product_id) as product_code,
        cart_events.occurred_at
    from cart_events
    left join customer_aliases on cart_events.customer_id = customer_aliases.merged_customer_id
    where nullif(cart_events.customer_id, '') is not null
),

final as (
    select
        wanted.order_line_id,
        wanted.order_id,
        wanted.affiliate_id,
        max(added.occurred_at) as added_at
    from wanted
    inner join order_keys on wanted.order_id = order_keys.order_id
    inner join
        added
        on
            order_keys.order_key = added.cart_key
            and wanted.product_code = added.product_code
            and order_keys.ordered_at > added.occurred_at
            and order_keys.ordered_at
            <= added.occurred_at + wanted.cart_expiry_days * interval '1 day'
    group by wanted.order_line_id, wanted.order_id, wanted.affiliate_id
)

select * from final
