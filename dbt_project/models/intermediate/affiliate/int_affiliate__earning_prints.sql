{%- set kinds = ['visitor', 'customer'] -%}

with lines as (select * from {{ ref('int_affiliate__lines') }}),

prints as (select * from {{ ref('int_affiliate__order_prints') }}),

order_partners as (select * from {{ ref('int_affiliate__order_partners') }}),

partners as (select * from {{ ref('int_affiliate__partner_prints') }}),

order_rates as (select * from {{ ref('int_finance__order_rates') }}),

rates as (select * from {{ ref('int_finance__rates') }}),

cart_lines as (select * from {{ ref('int_affiliate__cart_lines') }}),

voiding_touches as (select * from {{ ref('int_affiliate__voiding_touches') }}),

repeats as (select * from {{ ref('int_affiliate__repeats') }}),

kept_lines as (select * from {{ ref('int_affiliate__kept_lines') }}),

own_identities as (select * from {{ ref('int_affiliate__own_identities') }}),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

excluded_buyers as (select * from {{ ref('excluded_buyers') }}),

entries as (
    select * from {{ source('ledger', 'entries') }}
    where account = 'commission_expense' and order_line_id <> '(none)' and fx_rate is not null
),

orders as (select * from {{ ref('int_affiliate__orders') }}),

rate_days as (
    select
        rate_date,
        {{ rows_print(row_hash(['currency', 'rate'])) }} as digest
    from rates
    group by rate_date
),

parts as (
    select
        prints.order_id,
        cast(
            {{ row_hash([
                'prints.digest', 'order_rates.currency', 'order_rates.rate_date',
                'order_rates.rate', 'rate_days.digest',
            ]) }} as decimal(38, 0)
        ) as digest
    from prints
    left join order_rates on prints.order_id = order_rates.order_id
    left join rate_days on order_rates.rate_date = rate_days.rate_date
    {%- for order_id, columns, relations in [
        ('order_partners.order_id', [
            'order_partners.affiliate_id', 'partners.digest',
        ], 'order_partners left join partners'
            ~ ' on order_partners.affiliate_id = partners.affiliate_id'),
        ('cart_lines.order_id', [
            'cart_lines.order_line_id', 'cart_lines.affiliate_id', 'cart_lines.added_at',
        ], 'cart_lines'),
        ('voiding_touches.order_id', [
            'voiding_touches.affiliate_id', 'voiding_touches.voided_at',
        ], 'voiding_touches'),
        ('repeats.order_id', [
            'repeats.customer_id', 'repeats.product_code', 'repeats.bought_before_at',
        ], 'repeats'),
        ('lines.order_id', [
            'kept_lines.order_line_id', 'kept_lines.affiliate_id', 'kept_lines.commission_amount',
            'kept_lines.rate', 'kept_lines.is_matured',
        ], 'lines inner join kept_lines on lines.order_line_id = kept_lines.order_line_id'),
        ('lines.order_id', ['entries.entry_id'],
            'lines inner join entries on lines.order_line_id = entries.order_line_id'),
        ('orders.order_id', ['customer_aliases.merged_customer_id'],
            'orders inner join customer_aliases'
            ~ ' on orders.customer_id = customer_aliases.customer_id inner join excluded_buyers'
            ~ ' on customer_aliases.merged_customer_id = excluded_buyers.customer_id'),
    ] %}
    union all
    select
        {{ order_id }},
        cast({{ row_hash(columns) }} as decimal(38, 0)) as digest
    from {{ relations }}
    {%- endfor %}
    {%- for kind in kinds %}
    union all
    select
        orders.order_id,
        cast(
            {{ row_hash([
                'own_identities.affiliate_id', 'own_identities.identity_kind',
                'own_identities.rule', 'own_identities.first_at', 'own_identities.last_at',
            ]) }} as decimal(38, 0)
        ) as digest
    from orders
    inner join
        own_identities
        on
            own_identities.identity_kind = '{{ kind }}'
            and orders.{{ kind }}_id = own_identities.identity_id
    {%- endfor %}
),

final as (
    select
        order_id,
        {{ rows_print('digest') }} as digest
    from parts
    group by order_id
)

select * from final
