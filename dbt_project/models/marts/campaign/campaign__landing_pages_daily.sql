{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__activity_prints'), 'report_date') }}",
        "{{ forget_changed(ref('int_campaign__activity_prints'), 'report_date', 'report_date') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__activity_prints'), 'report_date') }}"],
) }}
with visits as (
    select * from {{ ref('int_campaign__visits') }}
    where {{ is_changed('int_campaign__activity_prints', 'session_date', 'report_date') }}
),

summed as (
    select
        session_date as report_date,
        channel,
        campaign_id,
        landing_page,
        count(*) as sessions,
        count(case when visit_number = 1 then 1 end) as new_visitors,
        count(case when event_count = 1 then 1 end) as bounces,
        count(case when coalesce(viewed_at, carted_at, ordered_at) is not null then 1 end)
            as sessions_with_view,
        count(case when coalesce(carted_at, ordered_at) is not null then 1 end)
            as sessions_with_cart,
        count(case when ordered_at is not null then 1 end) as sessions_with_order,
        cast(sum(order_count) as bigint) as orders,
        cast(sum(gross_revenue) as decimal(18, 4)) as gross_revenue,
        cast(sum(net_revenue) as decimal(18, 4)) as net_revenue
    from visits
    group by session_date, channel, campaign_id, landing_page
),

final as (
    select
        report_date,
        channel,
        campaign_id,
        landing_page,
        sessions,
        new_visitors,
        bounces,
        sessions_with_view,
        sessions_with_cart,
        sessions_with_order,
        orders,
        gross_revenue,
        net_revenue,
        {{ ratio('bounces', 'sessions') }} as bounce_rate,
        {{ ratio('sessions_with_order', 'sessions') }} as conversion_rate
    from summed
)

select * from final
