{{ config(materialized='table') }}

-- a table: several models read it, and the deliveries of an event are compared only once
with events as (select * from {{ ref('base_campaign__events') }}),

final as (
    select
        events.*,
        {{ channel_text('events.channel') }} as given_channel,
        {{ utm_text('events.utm_source') }} as source_tag,
        {{ utm_text('events.utm_medium') }} as medium_tag,
        {{ utm_text('events.utm_campaign') }} as campaign_tag,
        {{ utm_text('events.utm_content') }} as content_tag,
        {{ utm_text('events.utm_term') }} as term_tag,
        -- a page of the shop's own leads nobody to it
        nullif(
            {{ url_host('events.referrer') }},
            coalesce({{ url_host('events.landing_page') }}, '')
        ) as referrer_host,
        {{ parameter_names('events.landing_page') }} as parameter_names
    from events
)

select * from final
