{#- Written nowhere: its rows lie in the two tables that it reads. -#}
{{ config(materialized='view') }}
{%- set attributes = ['age_band', 'gender', 'country', 'device'] -%}

with events as (select * from {{ ref('int_campaign__seen_events') }}),

orders as (select * from {{ ref('int_campaign__audience_orders') }}),

unioned as (
    select
        kind,
        report_date,
        campaign_id,
        {{ attributes | join(',\n        ') }},
        person,
        cast(0 as decimal(18, 4)) as gross_revenue,
        cast(0 as decimal(18, 4)) as net_revenue,
        digest
    from events
    union all
    select
        kind,
        report_date,
        campaign_id,
        {{ attributes | join(',\n        ') }},
        person,
        gross_revenue,
        net_revenue,
        digest
    from orders
),

final as (
    select
        *,
        cast(date_trunc('month', report_date) as date) as month_start
    from unioned
)

select * from final
