with lines as (select * from {{ ref('int_affiliate__lines') }}),

clicks as (
    select * from {{ ref('int_affiliate__judged_clicks') }}
    where validity in ('valid', 'self') and affiliate_id is not null
),

partners as (select * from {{ ref('int_affiliate__partner_prints') }}),

orders as (
    select distinct
        order_id,
        visitor_id,
        customer_id
    from lines
),

{% for person in ['visitor', 'customer'] -%}
-- most who click never buy: their clicks are not added up
{{ person }}s as (
    select distinct {{ person }}_id
    from orders
    where {{ person }}_id is not null
),

{{ person }}_clicks as (
    select
        clicks.{{ person }}_id,
        {{ rows_print(row_hash([
            'clicks.click_id', 'clicks.affiliate_id', 'clicks.occurred_at', 'clicks.validity',
            'clicks.validity_rule', 'partners.digest',
        ])) }} as digest
    from clicks
    inner join {{ person }}s on clicks.{{ person }}_id = {{ person }}s.{{ person }}_id
    left join partners on clicks.affiliate_id = partners.affiliate_id
    group by clicks.{{ person }}_id
),

{% endfor -%}
final as (
    select
        orders.order_id,
        {{ row_hash(['visitor_clicks.digest', 'customer_clicks.digest']) }} as part_hash
    from orders
    left join visitor_clicks on orders.visitor_id = visitor_clicks.visitor_id
    left join customer_clicks on orders.customer_id = customer_clicks.customer_id
)

select * from final
