with events as (
    select * from {{ ref('stg_campaign__events') }}
    where not is_bot and event_type in ('landing_view', 'link_click')
),

final as (
    select
        coalesce(channel, 'direct') as channel,
        cast(coalesce(channel_rule, '(none)') as {{ varchar(64) }}) as channel_rule,
        coalesce(utm_source, '(none)') as utm_source,
        coalesce(utm_medium, '(none)') as utm_medium,
        cast(coalesce(click_id_kind, '(none)') as {{ varchar(64) }}) as click_id_kind,
        count(*) as event_count,
        {{ reporting_date('min(occurred_at)') }} as first_seen_on,
        {{ reporting_date('max(occurred_at)') }} as last_seen_on
    from events
    group by
        coalesce(channel, 'direct'),
        coalesce(channel_rule, '(none)'),
        coalesce(utm_source, '(none)'),
        coalesce(utm_medium, '(none)'),
        coalesce(click_id_kind, '(none)')
)

select * from final
