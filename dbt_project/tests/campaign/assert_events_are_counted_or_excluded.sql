-- by kind of event: received = counted + excluded, without one more or less
with received as (
    select event_type
    from {{ ref('stg_campaign__events') }}
    union all
    select event_type
    from {{ ref('stg_activity__product_events') }}
    union all
    select 'search' as event_type
    from {{ ref('stg_activity__searches') }}
    union all
    select 'cart' as event_type
    from {{ ref('stg_activity__cart_events') }}
    union all
    select 'affiliate_click' as event_type
    from {{ ref('stg_affiliate__clicks') }}
),

counted as (
    select
        event_type,
        1 as counted,
        0 as excluded
    from {{ ref('int_core__visitor_events') }}
    where event_type <> 'order'
    union all
    select
        event_type,
        0 as counted,
        event_count as excluded
    from {{ ref('campaign__excluded_traffic_daily') }}
),

received_by_type as (
    select
        event_type,
        count(*) as received
    from received
    group by event_type
),

counted_by_type as (
    select
        event_type,
        sum(counted) as counted,
        sum(excluded) as excluded
    from counted
    group by event_type
),

-- what the daily figures of campaigns show is what was not excluded
shown as (
    select
        coalesce(sum(impressions), 0) as impressions,
        coalesce(sum(ad_clicks), 0) as ad_clicks,
        coalesce(sum(landing_views), 0) as landing_views
    from {{ ref('campaign__activity_daily') }}
)

select
    coalesce(received_by_type.event_type, counted_by_type.event_type) as event_type,
    received_by_type.received,
    counted_by_type.counted,
    counted_by_type.excluded,
    shown.impressions,
    shown.ad_clicks,
    shown.landing_views
from received_by_type
full outer join counted_by_type on received_by_type.event_type = counted_by_type.event_type
cross join shown
where
    coalesce(received_by_type.received, 0)
    <> coalesce(counted_by_type.counted, 0) + coalesce(counted_by_type.excluded, 0)
    or (counted_by_type.event_type = 'impression' and counted_by_type.counted <> shown.impressions)
    or (counted_by_type.event_type = 'ad_click' and counted_by_type.counted <> shown.ad_clicks)
    or (
        counted_by_type.event_type = 'landing_view'
        and counted_by_type.counted <> shown.landing_views
    )
