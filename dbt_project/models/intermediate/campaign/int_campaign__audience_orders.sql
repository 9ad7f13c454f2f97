{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_core__visitor_prints')) }}",
        "{{ forget_changed(ref('int_core__visitor_prints'), 'key_hash') }}",
        "{{ forget_gone_orders(ref('int_campaign__order_versions')) }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_core__visitor_prints')) }}"],
) }}
{%- set attributes = ['age_band', 'gender', 'country', 'device'] -%}

-- An order is made anew when it changed, and when the visitor whose visit it is owed to did.
with versions as (
    select versions.*
    from {{ ref('int_campaign__order_versions') }} as versions
    {%- if is_update() %}
    left join {{ this }} as kept on versions.order_number = kept.order_number
    where kept.order_number is null
    {%- endif %}
),

orders as (select * from {{ ref('int_core__orders') }}),

revenues as (select * from {{ ref('int_campaign__order_revenues') }}),

sessions as (select * from {{ ref('int_core__sessions') }}),

events as (
    select * from {{ ref('stg_campaign__events') }}
    where not is_bot
),

last_touches as (
    select touches.*
    from {{ ref('int_campaign__path_touches') }} as touches
    inner join versions on touches.order_id = versions.order_id
    qualify
        row_number() over (partition by touches.order_id order by touches.position desc) = 1
),

-- a buyer is described by the event that began the visit which the order is owed to
touched as (
    select
        last_touches.order_id,
        last_touches.campaign_id,
        sessions.visitor_key,
        {%- for attribute in attributes %}
        events.{{ attribute }},
        {%- endfor %}
        sessions.path_key
    from last_touches
    inner join sessions on last_touches.touchpoint_id = sessions.session_id
    left join events on sessions.event_id = events.event_id and sessions.source_rank = 1
),

bought as (
    select
        versions.order_number,
        case when touched.visitor_key is not null then {{ row_hash(['touched.visitor_key']) }} end
            as key_hash,
        'order' as kind,
        versions.order_date as report_date,
        coalesce(touched.campaign_id, '(none)') as campaign_id,
        {%- for attribute in attributes %}
        {{ audience_attribute('touched.' ~ attribute) }} as {{ attribute }},
        {%- endfor %}
        coalesce('customer ' || orders.customer_id, touched.path_key) as person,
        revenues.gross_revenue,
        revenues.net_revenue
    from versions
    inner join orders on versions.order_id = orders.order_id
    inner join revenues on versions.order_id = revenues.order_id
    left join touched on versions.order_id = touched.order_id
),

final as (
    select
        order_number,
        key_hash,
        kind,
        report_date,
        campaign_id,
        {{ attributes | join(',\n        ') }},
        case when person is not null then {{ row_hash(['person']) }} end as person,
        gross_revenue,
        net_revenue,
        {{ row_hash(
            ['kind', 'report_date', 'campaign_id']
            + attributes
            + ['person', 'gross_revenue', 'net_revenue']
        ) }} as digest
    from bought
)

select * from final
