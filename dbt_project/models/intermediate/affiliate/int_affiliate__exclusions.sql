{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_affiliate__earning_prints'), 'order_id') }}",
        "{{ forget_changed(ref('int_affiliate__earning_prints'), 'order_id', 'order_id') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_affiliate__earning_prints'), 'order_id') }}"],
) }}
with sources as (
    select * from {{ ref('int_affiliate__sources') }}
    where {{ is_changed('int_affiliate__earning_prints', 'order_id', 'order_id') }}
),

lines as (select * from {{ ref('int_affiliate__lines') }}),

clicks as (
    select
        click_id,
        validity,
        validity_rule
    from {{ ref('int_affiliate__judged_clicks') }}
    where validity = 'self'
),

affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

rules as (select * from {{ ref('int_affiliate__rules') }}),

own_identities as (select * from {{ ref('int_affiliate__own_identities') }}),

customer_aliases as (select * from {{ ref('int_core__customer_aliases') }}),

repeats as (select * from {{ ref('int_affiliate__repeats') }}),

excluded_buyers as (select * from {{ ref('excluded_buyers') }}),

buyers as (
    select
        coalesce(customer_aliases.customer_id, excluded_buyers.customer_id) as customer_id,
        excluded_buyers.kind,
        excluded_buyers.valid_from,
        excluded_buyers.valid_to
    from excluded_buyers
    left join customer_aliases on excluded_buyers.customer_id = customer_aliases.merged_customer_id
),

judged as (
    select
        sources.order_line_id,
        sources.order_id,
        sources.affiliate_id,
        lines.status = 'cancelled' as is_cancelled,
        case
            when sources.attribution_rule = 'posted' then false
            when affiliates.affiliate_id is null then true
            when lines.ordered_at < affiliates.joined_at then true
            when rules.affiliate_status = 'active' then false
            when rules.affiliate_status <> 'shop' then true
            else affiliates.status <> 'active' and lines.ordered_at >= affiliates.status_since
        end as is_inactive,
        case
            when own_customers.rule in ('own_account', 'merged_account') then own_customers.rule
            when own_customers.rule = 'same_email' and rules.self_referral_by_email
                then own_customers.rule
            when own_devices.identity_id is not null and rules.self_referral_by_device
                then own_devices.rule
            when clicks.validity_rule = 'same_email' and not rules.self_referral_by_email then null
            when clicks.validity_rule = 'own_device' and not rules.self_referral_by_device then null
            when clicks.click_id is not null then coalesce(clicks.validity_rule, 'self_click')
        end as self_referral_rule,
        not lines.is_commissionable as is_not_commissionable,
        case when rules.excluded_buyers then buyers.kind end as buyer_kind,
        case
            when
                lines.ordered_at
                <= repeats.bought_before_at + rules.duplicate_order_days * interval '1 day'
                then repeats.bought_before_at
        end as bought_before_at,
        lines.is_counted and not lines.is_first_order and lines.customer_id is not null
            as is_returning_customer
    from sources
    inner join lines on sources.order_line_id = lines.order_line_id
    left join affiliates on sources.affiliate_id = affiliates.affiliate_id
    inner join
        rules
        on
            coalesce(affiliates.affiliate_id, '(none)') = rules.affiliate_id
            and lines.order_date >= rules.valid_from
            and lines.order_date < rules.valid_before
    left join clicks on sources.click_id = clicks.click_id
    left join
        own_identities as own_customers
        on
            own_customers.identity_kind = 'customer'
            and sources.affiliate_id = own_customers.affiliate_id
            and lines.customer_id = own_customers.identity_id
    left join
        own_identities as own_devices
        on
            own_devices.identity_kind = 'visitor'
            and sources.affiliate_id = own_devices.affiliate_id
            and lines.visitor_id = own_devices.identity_id
            and lines.ordered_at
            >= own_devices.first_at - rules.click_own_device_days * interval '1 day'
            and lines.ordered_at
            <= own_devices.last_at + rules.click_own_device_days * interval '1 day'
    left join
        buyers
        on
            lines.customer_id = buyers.customer_id
            and {{ is_in_force('buyers', 'lines.order_date') }}
    left join
        repeats
        on
            lines.customer_id = repeats.customer_id
            and lines.product_code = repeats.product_code
            and lines.order_id = repeats.order_id
),

-- two merged accounts may both be listed: a line has one row
final as (
    select *
    from judged
    qualify row_number() over (partition by order_line_id order by buyer_kind) = 1
)

select * from final
