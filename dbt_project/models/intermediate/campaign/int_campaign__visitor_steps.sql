{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ begin_prints(ref('int_campaign__visit_prints')) }}",
        "{{ forget_changed(ref('int_campaign__visit_prints'), 'key_hash') }}",
    ],
    post_hook=["{{ drop_prints() }}", "{{ keep_prints(ref('int_campaign__visit_prints')) }}"],
) }}
{%- set before = "partition by visitor_key, campaign_id order by occurred_at, step_number, event_id
            rows between unbounded preceding and 1 preceding" -%}

with events as (
    select * from {{ ref('int_core__resolved_events') }}
    where
        source_rank = 1
        and event_type in ('impression', 'ad_click', 'link_click')
        and {{ is_changed('int_campaign__visit_prints', row_hash(['visitor_key'])) }}
),

visits as (
    select * from {{ ref('int_campaign__visits') }}
    where {{ is_changed('int_campaign__visit_prints', row_hash(['visitor_key'])) }}
),

-- a link in an e-mail is clicked as an advertisement is
arrivals as (
    select
        case when event_type = 'impression' then 1 else 2 end as step_number,
        event_id,
        visitor_key,
        {{ channel_name('channel', 'campaign_id') }} as channel,
        {{ campaign_key('campaign_id') }} as campaign_id,
        occurred_at,
        {{ reporting_date('occurred_at') }} as report_date,
        cast(null as bigint) as visit_number
    from events
    union all
    select
        3 as step_number,
        session_id as event_id,
        visitor_key,
        channel,
        campaign_id,
        started_at as occurred_at,
        session_date as report_date,
        visit_number
    from visits
),

-- the latest step before it, of the same visitor and campaign
preceded as (
    select
        *,
        last_value(case when step_number = 1 then occurred_at end ignore nulls) over (
            {{ before }}
        ) as shown_at,
        last_value(case when step_number = 2 then occurred_at end ignore nulls) over (
            {{ before }}
        ) as clicked_at
    from arrivals
),

first_visits as (
    select
        visitor_key,
        started_at
    from visits
    where visit_number = 1
),

arrived as (
    select
        preceded.visitor_key,
        preceded.step_number,
        preceded.report_date,
        preceded.channel,
        preceded.campaign_id,
        -- two visits may begin at one instant: their number tells the first, the time does not
        case
            when preceded.step_number = 3 then preceded.visit_number > 1
            else coalesce(first_visits.started_at < preceded.occurred_at, false)
        end as is_returning,
        preceded.occurred_at,
        case
            when preceded.step_number = 2 then preceded.shown_at
            when preceded.step_number = 3 then preceded.clicked_at
        end as previous_at
    from preceded
    left join first_visits on preceded.visitor_key = first_visits.visitor_key
),

-- who came to a later step had come to the earlier ones, maybe in an earlier visit
steps as (
    select
        visitor_key,
        step_number,
        report_date,
        channel,
        campaign_id,
        is_returning,
        case
            when previous_at >= occurred_at - interval '{{ var("funnel_step_days") }} days'
                then previous_at
        end as previous_at,
        occurred_at
    from arrived
    {%- for number, at, previous, later in [
        (4, 'viewed_at', 'started_at', 'carted_at, ordered_at'),
        (5, 'carted_at', 'viewed_at', 'ordered_at'),
        (6, 'ordered_at', 'carted_at', none),
    ] %}
    union all
    select
        visitor_key,
        {{ number }} as step_number,
        session_date as report_date,
        channel,
        campaign_id,
        visit_number > 1 as is_returning,
        {{ previous }} as previous_at,
        {{ at }} as occurred_at
    from visits
    where {{ 'coalesce(' ~ at ~ ', ' ~ later ~ ')' if later else at }} is not null
    {%- endfor %}
),

-- whole numbers in place of keys, which are longer than all else
final as (
    select
        {{ row_hash(['visitor_key']) }} as key_hash,
        step_number,
        report_date,
        channel,
        campaign_id,
        is_returning,
        case
            when previous_at <= occurred_at
                then
                    cast(
                        floor(extract(epoch from occurred_at) - extract(epoch from previous_at))
                        as bigint
                    )
        end as seconds
    from steps
)

select * from final
