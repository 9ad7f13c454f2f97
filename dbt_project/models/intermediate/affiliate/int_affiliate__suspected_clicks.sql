{#- Written nowhere: the one model that reads it says which rule is told. -#}
{{ config(materialized='view') }}
{%- set same_click = "partition by clicks.browser_key, clicks.affiliate_id, clicks.product_id" -%}
{%- set in_order = same_click ~ " order by clicks.occurred_at, clicks.click_id" -%}

with clicks as (select * from {{ ref('int_affiliate__seen_clicks') }}),

program_agents as (select * from {{ ref('int_affiliate__program_agents') }}),

data_centre_addresses as (select * from {{ ref('int_affiliate__data_centre_addresses') }}),

crowded_clicks as (select * from {{ ref('int_affiliate__crowded_clicks') }}),

click_bursts as (select * from {{ ref('int_affiliate__click_bursts') }}),

own_identities as (select * from {{ ref('int_affiliate__own_identities') }}),

compared as (
    select
        clicks.*,
        lag(clicks.click_id) over ({{ in_order }}) as previous_click_id,
        lag(clicks.occurred_at) over ({{ in_order }}) as previous_at
    from clicks
),

final as (
    select
        compared.*,
        program_agents.rule as agent_rule,
        program_agents.figures as agent_figures,
        data_centre_addresses.company as data_centre,
        crowded_clicks.browser_count,
        of_addresses.figures as address_figures,
        of_affiliates.figures as affiliate_figures,
        without_orders.figures as order_figures,
        own_customers.rule as own_rule,
        own_devices.identity_id as own_device,
        coalesce(
            compared.previous_at
            >= compared.occurred_at - compared.click_duplicate_seconds * interval '1 second',
            false
        ) as is_again
    from compared
    left join program_agents on compared.user_agent = program_agents.user_agent
    left join data_centre_addresses on compared.address = data_centre_addresses.address
    left join crowded_clicks on compared.click_id = crowded_clicks.click_id
    left join
        click_bursts as of_addresses
        on
            of_addresses.burst_rule = 'address_velocity'
            and compared.address = of_addresses.burst_key
            and date_trunc('hour', compared.occurred_at) = of_addresses.starts_at
    left join
        click_bursts as of_affiliates
        on
            of_affiliates.burst_rule = 'affiliate_velocity'
            and compared.affiliate_id = of_affiliates.burst_key
            and date_trunc('minute', compared.occurred_at) = of_affiliates.starts_at
    left join
        click_bursts as without_orders
        on
            without_orders.burst_rule = 'clicks_without_orders'
            and compared.affiliate_id = without_orders.burst_key
            and date_trunc('day', compared.occurred_at) = without_orders.starts_at
    left join
        own_identities as own_customers
        on
            own_customers.identity_kind = 'customer'
            and compared.affiliate_id = own_customers.affiliate_id
            and compared.customer_id = own_customers.identity_id
    left join
        own_identities as own_devices
        on
            own_devices.identity_kind = 'visitor'
            and compared.affiliate_id = own_devices.affiliate_id
            and compared.visitor_id = own_devices.identity_id
            and compared.occurred_at
            >= own_devices.first_at - compared.click_own_device_days * interval '1 day'
            and compared.occurred_at
            <= own_devices.last_at + compared.click_own_device_days * interval '1 day'
)

select * from final
