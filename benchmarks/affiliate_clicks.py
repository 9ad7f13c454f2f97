"""Measure the models that judge affiliates' clicks, against one bare query with the same windows.

    python benchmarks/affiliate_clicks.py [CLICKS ...]

Each size runs in a process of its own. The models run as dbt compiled them, one after the other, on
DuckDB with 2 threads, from staged clicks and the sessions of their visits to the verdicts. The bare
query joins clicks to their visits, looks for repetitions and for too many clicks behind an address
or for an affiliate, and keeps a verdict per click. Of 100 clicks 85 begin a visit, 8 repeat one, 4
are programs', 3 floods': 40 browsers behind one address.
"""

from graphlib import TopologicalSorter
from pathlib import Path

from benchmarks.compiled_models import Nodes, each_size, judge_clicks

SIZES = (1_000_000, 3_000_000, 10_000_000)
JUDGED = "int_affiliate__judged_clicks"
# What the models read of others, for getvariable('clicks') clicks of a year by 2,000 affiliates.
GIVEN = """
create table staging.stg_affiliate__clicks as
with drawn as (
    select
        i, hash(i, 1) as draw, case when i % 100 < 85 then 'honest' when i % 100 < 93 then 'again'
            when i % 100 < 97 then 'bot' else 'flood' end as kind,
        -- one that repeats another has all of it, a second later; a flood shares an address
        case when i % 100 between 85 and 92 then i - 85 else i end as of_click, i // 1334 as flood
    from range(getvariable('clicks')) as r(i)
)
select
    'k' || i as click_id, 'main' as cell,
    'a' || (case kind when 'flood' then hash(flood, 3) else hash(of_click, 3) end % 2000)
        as affiliate_id,
    timestamptz '2026-01-01 00:00:00+00' + case kind
        when 'flood' then to_milliseconds((hash(flood, 4) % 31536000000)::bigint)
            + to_milliseconds((draw % 600000)::bigint)
        when 'again' then to_milliseconds((hash(of_click, 4) % 31536000000)::bigint + 1000)
        else to_milliseconds((hash(i, 4) % 31536000000)::bigint)
    end as occurred_at,
    case kind when 'honest' then 'v' || of_click // 3 when 'again' then 'v' || of_click // 3
        else 'x' || i end as visitor_id,
    case when kind = 'honest' and draw % 10 = 0 then 'c' || (of_click // 3) end as customer_id,
    'p' || (hash(of_click, 5) % 20000) as product_id, '/products/x' as landing_page,
    'k1:' || md5(case kind when 'flood' then 'f' || flood else 'v' || (of_click // 3) end)
        as ip_hash,
    'k1:' || md5(case kind when 'bot' then 'b' || draw % 9 else 'u' || draw % 3000 end)
        as user_agent_hash
from drawn;

create table intermediate.int_core__session_events as
select
    md5(visitor_id || (epoch(occurred_at) // 1800)::bigint) as session_id, click_id as event_id,
    'affiliate_click' as event_type, 'visitor ' || visitor_id as visitor_key,
    case when visitor_id like 'x%' then null else 'c' || substr(visitor_id, 2) end
        as customer_id
from staging.stg_affiliate__clicks;

create table intermediate.int_core__sessions as
select
    events.session_id, 'main' as cell, min(clicks.occurred_at)::date as session_date,
    max(clicks.occurred_at) as ended_at,
    count(*) + case when min(events.customer_id) is null then 0 else 4 end as event_count,
    count(*) as affiliate_click_count,
    case when hash(events.session_id) % 50 = 0 then 1 else 0 end as order_count
from intermediate.int_core__session_events as events
inner join staging.stg_affiliate__clicks as clicks on events.event_id = clicks.click_id
group by events.session_id;

create table staging.base_campaign__bot_visitors as
select visitor_id, 'rate' as bot_reason from staging.stg_affiliate__clicks
where visitor_id like 'x%' and hash(visitor_id) % 5 = 0;

create table intermediate.int_core__customer_aliases as
select 'c' || 7 * i as merged_customer_id, 'c' || (7 * i + 1) as customer_id
from range(getvariable('clicks') // 300) as r(i);

create table staging.stg_affiliate__affiliates as
select 'a' || i as affiliate_id, 'c' || 11 * i as customer_id from range(2000) as r(i);

create table staging.stg_shop__customers as
select 'c' || i as customer_id, 'e' || i as email_hash
from range(getvariable('clicks') // 3) as r(i);

create table intermediate.int_core__visitor_events as
select
    'v' || i // 3 as visitor_id, 'c' || i // 3 as customer_id,
    timestamptz '2026-01-01 00:00:00+00' + to_seconds(i % 31536000) as occurred_at
from range(getvariable('clicks')) as r(i);

create schema if not exists ledger;
create table ledger.decisions (
    decision_id varchar, kind varchar, click_id varchar, effective_at timestamptz,
    decided_at timestamptz, author varchar, reason varchar
);
"""
BARE = """
create or replace table bare as
with seen as (
    select clicks.*, coalesce(events.customer_id, clicks.customer_id) as person,
        sessions.event_count > sessions.affiliate_click_count as is_seen
    from staging.stg_affiliate__clicks as clicks
    left join intermediate.int_core__session_events as events on clicks.click_id = events.event_id
    left join intermediate.int_core__sessions as sessions using (session_id)
),
counted as (
    select
        *,
        lag(occurred_at) over (
            partition by visitor_id, affiliate_id, product_id order by occurred_at, click_id
        ) as previous_at,
        count(*) over (
            partition by affiliate_id, ip_hash order by occurred_at
            range between interval 10 minutes preceding and interval 10 minutes following
        ) as crowd,
        count(*) over (partition by ip_hash, date_trunc('hour', occurred_at)) as of_address,
        count(*) over (partition by affiliate_id, date_trunc('minute', occurred_at)) as of_minute
    from seen
)
select
    click_id, affiliate_id, cell, occurred_at, visitor_id, person, product_id, landing_page,
    case
        when previous_at >= occurred_at - interval 30 seconds then 'duplicate'
        when crowd > 20 or of_address > 60 or of_minute > 600 or not is_seen then 'flood'
        else 'valid'
    end as validity
from counted
"""

OUTCOME = f"""
select string_agg(validity || ' ' || format('{{:,}}', clicks), ', ' order by validity)
from (select validity, count(*) as clicks from intermediate.{JUDGED} group by all)
"""


def models_of(nodes: Nodes) -> list[str]:
    """Return the models from staged clicks to verdicts, and the seeds they read, in their order."""
    graph: dict[str, list[str]] = {}
    waiting = [one for one, node in nodes.items() if node["name"] == JUDGED]
    while waiting:
        identity = waiting.pop()
        node = nodes[identity]
        is_ours = node["name"].startswith("int_affiliate__") or node["resource_type"] == "seed"
        if identity in graph or not is_ours:
            continue
        graph[identity] = node.get("depends_on", {}).get("nodes", [])
        waiting += graph[identity]
    return [one for one in TopologicalSorter(graph).static_order() if one in graph]


def build(nodes: Nodes, folder: Path, clicks: int) -> None:
    """Judge one size and print what it took."""
    judge_clicks(nodes, folder, clicks, models_of(nodes), (GIVEN, BARE, OUTCOME))


if __name__ == "__main__":
    each_size(__file__, SIZES, build)
