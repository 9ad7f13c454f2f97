{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__audience_prints'), 'month_start') }}",
        "{{ forget_changed(ref('int_campaign__audience_prints'), \"cast(date_trunc('month', report_date) as date)\", 'month_start') }}",
    ],
    post_hook=[
        "{{ drop_prints() }}",
        "{{ keep_prints(ref('int_campaign__audience_prints'), 'month_start') }}",
    ],
) }}
{%- set attributes = ['age_band', 'gender', 'country', 'device'] -%}

with audience as (
    select * from {{ ref('int_campaign__audience') }}
    where {{ is_changed('int_campaign__audience_prints', 'month_start', 'month_start') }}
),

groups as (select * from {{ ref('int_campaign__audience_groups') }}),

final as (
    select
        audience.report_date,
        audience.campaign_id,
        {%- for attribute in attributes %}
        cast(groups.shown_{{ attribute }} as {{ varchar(256) }}) as {{ attribute }},
        {%- endfor %}
        count(case when audience.kind = 'impression' then 1 end) as impressions,
        count(case when audience.kind = 'ad_click' then 1 end) as ad_clicks,
        count(case when audience.kind = 'landing_view' then 1 end) as landing_views,
        count(case when audience.kind = 'order' then 1 end) as orders,
        cast(sum(audience.gross_revenue) as decimal(18, 4)) as attributed_revenue,
        cast(sum(audience.net_revenue) as decimal(18, 4)) as attributed_net_revenue
    from audience
    inner join
        groups
        on
            audience.month_start = groups.month_start
            and audience.campaign_id = groups.campaign_id
            {%- for attribute in attributes %}
            and audience.{{ attribute }} = groups.{{ attribute }}
            {%- endfor %}
    group by
        audience.report_date,
        audience.campaign_id,
        groups.shown_age_band,
        groups.shown_gender,
        groups.shown_country,
        groups.shown_device
)

select * from final
