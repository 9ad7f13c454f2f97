with events as (select * from {{ ref('base_campaign__events') }}),

final as (
    select
        cast(event_id as {{ varchar(256) }}) as event_id,
        cast(_cell as {{ varchar(64) }}) as cell,
        cast(event_type as {{ varchar(64) }}) as event_type,
        due_at as occurred_at,
        first_received_at as received_at,
        cast(visitor_id as {{ varchar(256) }}) as visitor_id,
        cast(customer_id as {{ varchar(256) }}) as customer_id,
        cast(campaign_id as {{ varchar(256) }}) as campaign_id,
        cast(channel as {{ varchar(256) }}) as channel,
        cast(utm_source as {{ varchar(1024) }}) as utm_source,
        cast(utm_medium as {{ varchar(1024) }}) as utm_medium,
        cast(utm_campaign as {{ varchar(1024) }}) as utm_campaign,
        cast(utm_content as {{ varchar(1024) }}) as utm_content,
        cast(utm_term as {{ varchar(1024) }}) as utm_term,
        cast(landing_page as {{ varchar(2048) }}) as landing_page,
        cast(referrer as {{ varchar(2048) }}) as referrer,
        cast(device as {{ varchar(256) }}) as device,
        cast(country as {{ varchar(256) }}) as country,
        cast(age_band as {{ varchar(64) }}) as age_band,
        cast(gender as {{ varchar(64) }}) as gender,
        coalesce(is_bot, false) as is_bot,
        is_time_replaced,
        cast(_load_id as {{ varchar(64) }}) as _load_id
    from events
    where {{ is_due() }}
)

select * from final
