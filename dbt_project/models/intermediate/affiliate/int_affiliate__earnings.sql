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

exclusions as (select * from {{ ref('int_affiliate__exclusions') }}),

line_rates as (select * from {{ ref('int_affiliate__line_rates') }}),

affiliates as (select * from {{ ref('stg_affiliate__affiliates') }}),

rules as (select * from {{ ref('int_affiliate__rules') }}),

terms as (select * from {{ ref('int_affiliate__terms') }}),

kept_lines as (select * from {{ ref('int_affiliate__kept_lines') }}),

-- with an affiliate the shop may delete the plan: what is still held stays so for the longest time
holds as (
    select max(hold_days) as longest_days
    from {{ ref('stg_affiliate__commission_plans') }}
),

ruled as (
    select
        sources.*,
        lines.ordered_at,
        lines.order_date,
        lines.plan_category,
        rules.rate_moment,
        rules.returning_customer_rate,
        rules.vat_rate,
        rules.base_less_discounts,
        rules.delivery_days,
        rules.chargeback_holds,
        case when kept_lines.order_line_id is null then rules.cap_per_item end as cap_per_item,
        case when kept_lines.order_line_id is null then rules.cap_per_order end as cap_per_order,
        case when kept_lines.order_line_id is null then rules.cap_per_month end as cap_per_month,
        kept_lines.commission_amount as kept_amount,
        kept_lines.rate as kept_rate,
        kept_lines.is_matured as is_kept_matured,
        case
            when rules.rate_moment = 'click' then coalesce(sources.clicked_at, lines.ordered_at)
            else lines.ordered_at
        end as terms_at
    from sources
    inner join lines on sources.order_line_id = lines.order_line_id
    left join affiliates on sources.affiliate_id = affiliates.affiliate_id
    left join kept_lines on sources.order_line_id = kept_lines.order_line_id
    inner join
        rules
        on
            coalesce(affiliates.affiliate_id, '(none)') = rules.affiliate_id
            and lines.order_date >= rules.valid_from
            and lines.order_date < rules.valid_before
),

termed as (
    select
        ruled.*,
        terms.plan_id,
        terms.tier,
        terms.tier_sales,
        terms.tier_statement,
        case
            when ruled.is_kept_matured then 0
            when ruled.kept_amount is not null then coalesce(holds.longest_days, 0)
            else terms.hold_days
        end as hold_days,
        terms.rate as plan_rate
    from ruled
    cross join holds
    left join
        terms
        on
            ruled.affiliate_id = terms.affiliate_id
            and ruled.plan_category = terms.plan_category
            and ruled.terms_at >= terms.valid_from
            and ruled.terms_at < terms.valid_before
),

final as (
    select
        termed.*,
        line_rates.order_currency,
        line_rates.currency,
        line_rates.fx_rate,
        line_rates.fx_rule,
        exclusions.self_referral_rule,
        exclusions.bought_before_at,
        exclusions.is_returning_customer,
        case
            when termed.kept_amount is not null then 'posted'
            when exclusions.is_returning_customer and termed.returning_customer_rate is not null
                then 'returning_customer'
            else 'plan'
        end as rate_rule,
        case
            when termed.kept_amount is not null then termed.kept_rate
            when termed.plan_id is null then cast(0 as decimal(18, 8))
            when exclusions.is_returning_customer and termed.returning_customer_rate is not null
                then cast(termed.returning_customer_rate as decimal(18, 8))
            else termed.plan_rate
        end as rate,
        case
            when exclusions.is_cancelled then 'cancelled'
            when termed.kept_amount is not null then null
            when exclusions.is_inactive then 'affiliate_inactive'
            when exclusions.self_referral_rule is not null then 'self_referral'
            when exclusions.is_not_commissionable then 'not_commissionable'
            when termed.plan_id is null then 'no_plan'
            when exclusions.buyer_kind = 'employee' then 'employee'
            when exclusions.buyer_kind = 'test' then 'test_order'
            when exclusions.bought_before_at is not null then 'duplicate_order'
            when line_rates.fx_rate is null then 'no_rate'
        end as reason
    from termed
    inner join exclusions on termed.order_line_id = exclusions.order_line_id
    inner join line_rates on termed.order_line_id = line_rates.order_line_id
)

select * from final
