{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_core__visitor_prints')) }}",
        "{{ forget_changed(ref('int_core__visitor_prints'), 'key_hash') }}",
        "{{ forget_nobodys('key_hash') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_core__visitor_prints')) }}"],
) }}
{%- set attributes = ['age_band', 'gender', 'country', 'device'] -%}

-- what nobody can be told to have done has no print: it is read anew every time
with events as (
    select * from {{ ref('int_core__visitor_events') }}
    where
        source_rank = 1
        and event_type in ('impression', 'ad_click', 'landing_view')
        and (
            visitor_key is null
            or {{ is_changed('int_core__visitor_prints', row_hash(['visitor_key'])) }}
        )
),

resolved as (
    select * from {{ ref('int_core__resolved_events') }}
    where
        source_rank = 1
        and {{ is_changed('int_core__visitor_prints', row_hash(['visitor_key'])) }}
),

-- Who it was: the customer if known, else the visitor, else nobody who could be counted.
described as (
    select
        case when events.visitor_key is not null then {{ row_hash(['events.visitor_key']) }} end
            as key_hash,
        events.event_type as kind,
        {{ reporting_date('events.occurred_at') }} as report_date,
        {{ channel_name('events.channel', 'events.campaign_id') }} as channel,
        {{ campaign_key('events.campaign_id') }} as campaign_id,
        {%- for attribute in attributes %}
        {{ audience_attribute('events.' ~ attribute) }} as {{ attribute }},
        {%- endfor %}
        coalesce('customer ' || resolved.customer_id, resolved.visitor_key) as person
    from events
    left join resolved on events.event_id = resolved.event_id
),

-- whole numbers in place of keys, which are longer than all else
final as (
    select
        key_hash,
        kind,
        report_date,
        channel,
        campaign_id,
        {{ attributes | join(',\n        ') }},
        case when person is not null then {{ row_hash(['person']) }} end as person,
        {{ row_hash(['kind', 'report_date', 'channel', 'campaign_id'] + attributes + ['person']) }}
            as digest
    from described
)

select * from final
