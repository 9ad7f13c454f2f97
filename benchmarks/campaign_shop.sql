-- A shop of getvariable('events') campaign events and a tenth as many orders, for campaign_build.py:
-- tables named like the staging models that they are the rows of.
create schema shop;

-- Orders of a year, two per customer; each ends a visit, the last of 1 to 10 within 33 days.
create temp table orders as
select
    i, 'o' || i as order_id, 'c' || (i // 2) as customer_id, 'v' || (i // 2) as visitor_id,
    timestamptz '2026-01-02 00:00:00+00' + to_seconds((hash(i) % 31000000)::bigint) as ordered_at,
    ((hash(i, 1) % 2000000) / 10000 + 1)::decimal(18, 4) as amount,
    [1, 1, 1, 2, 2, 2, 3, 4, 6, 10][(hash(i, 2) % 10 + 1)::bigint] as visits
from range(getvariable('events') // 10) as r(i);

create temp table visits as
select
    100 * i + p as visit, visitor_id,
    case when hash(i, p, 3) % 10 < 3 then customer_id end as customer_id,
    ordered_at - to_seconds((case p when 1 then 0 else hash(i, p) % 2851200 end)::bigint)
    - interval '5 minutes' as started_at,
    (hash(i, p, 4) % 40)::bigint as campaign
from orders, range(1, 11) as r(p)
where p <= visits;

-- A landing, a click on a link, and for most visits the advertisement's click before.
create table shop.stg_campaign__events as
select
    'e' || (visit * 4 + k) as event_id, 'main' as cell,
    ['landing_view', 'link_click', 'ad_click', 'link_click'][k] as event_type,
    started_at + to_seconds([0, 40, -20, 200][k]) as occurred_at,
    visitor_id, case when k = 2 then customer_id end as customer_id,
    case when k in (1, 3) and campaign < 30 then 'k' || campaign end as campaign_id,
    case
        when k in (1, 3) and campaign < 38
            then ['email', 'paid_search', 'paid_social', 'display', 'affiliate'][campaign % 5 + 1]
    end as channel,
    '/product/' || (visit % 5000) as landing_page, ['phone', 'desktop'][visit % 2 + 1] as device,
    'United Kingdom' as country, '25-34' as age_band, 'f' as gender
from visits, range(1, 5) as r(k)
where k < 4 or visit % 3 = 0
qualify row_number() over () <= getvariable('events');

create table shop.stg_shop__orders as
select
    order_id, 'main' as cell, customer_id, visitor_id, ordered_at, 'paid' as status,
    'United Kingdom' as country, 'GBP' as currency
from orders;

create table shop.stg_shop__order_lines as
select
    order_id || '-1' as order_line_id, 'main' as cell, order_id, 'p' || (i % 5000) as product_id,
    'product' as line_kind, 1 as quantity, amount as unit_price, amount as line_amount,
    ordered_at, true as is_sale_line
from orders;

create table shop.stg_campaign__campaigns as
select
    'k' || i as campaign_id, 'main' as cell, 'Campaign ' || i as name,
    ['email', 'paid_search', 'paid_social', 'display', 'affiliate'][i % 5 + 1] as channel
from range(30) as r(i);

create table shop.stg_campaign__spend as
select
    (date '2026-01-01' + d::integer) as spend_date, 'k' || i as campaign_id, 'main' as cell,
    100.25::decimal(18, 4) as amount, 'GBP' as currency, 1000 as impressions, 50 as clicks
from range(30) as r(i), range(365) as s(d);

-- nobody here is a program
create table shop.base_campaign__bot_visitors as
select 'v' as visitor_id, 'rate' as bot_reason
where false;

create table shop.refund_allocations as
select
    'r' || i as refund_id, order_id || '-1' as order_line_id, 1::bigint as quantity,
    (amount / 2)::decimal(18, 4) as amount, 'reference' as match_rule
from orders
where i % 12 = 0;
