-- One in a hundred events more, and a tenth as many orders: what a run of campaign_build.py's shop
-- finds that comes after the last day. Of the visits three in four are of visitors who were never
-- there before, one in five of some who come back, and the rest came late, up to 30 days.
create or replace temp table new_visits as
select
    i as visit,
    case when i % 20 < 15 then 'n' || i else 'v' || (hash(i, 7) % (getvariable('events') // 20)) end
        as visitor_id,
    timestamptz '2026-12-26 00:00:00+00' + to_seconds((hash(i, 8) % 72000)::bigint)
    - case when i % 20 = 19 then to_days((hash(i, 9) % 30 + 1)::integer) else to_days(0) end
        as started_at,
    (hash(i, 4) % 40)::bigint as campaign
from range(getvariable('events') // 333) as r(i);

insert into staging.stg_campaign__events by name
select
    'new' || (visit * 4 + k) as event_id, 'main' as cell,
    ['landing_view', 'link_click', 'ad_click', 'link_click'][k] as event_type,
    started_at + to_seconds([0, 40, -20, 200][k]) as occurred_at, visitor_id,
    case when k in (1, 3) and campaign < 30 then 'k' || campaign end as campaign_id,
    case
        when k in (1, 3) and campaign < 38
            then ['email', 'paid_search', 'paid_social', 'display', 'affiliate'][campaign % 5 + 1]
    end as channel,
    '/product/' || (visit % 5000) as landing_page, ['phone', 'desktop'][visit % 2 + 1] as device,
    'United Kingdom' as country, '25-34' as age_band, 'f' as gender, false as is_bot
from new_visits, range(1, 5) as r(k)
where k < 4 or visit % 3 = 0;

-- of every three new visits one ends in an order
create or replace temp table new_orders as
select
    'n' || visit as order_id, 'main' as cell, 'nc' || visit as customer_id, visitor_id,
    started_at + interval '5 minutes' as ordered_at
from new_visits
where visit % 3 = 0;

insert into staging.stg_shop__orders by name
select *, 'paid' as status, 'United Kingdom' as country, 'GBP' as currency from new_orders;

insert into staging.stg_shop__order_lines by name
select
    order_id || '-1' as order_line_id, cell, order_id, 'p1' as product_id,
    'product' as line_kind, 1 as quantity, 12.50::decimal(18, 4) as unit_price,
    12.50::decimal(18, 4) as line_amount
from new_orders;
