"""Measure the models that attribute lines to affiliates, against one bare query that does it.

    python benchmarks/affiliate_commissions.py [CLICKS ...]

Each size runs in a process of its own. The models run as dbt compiled them, one after the other, on
DuckDB with 2 threads, from judged clicks, orders and their lines to commissions. The bare query
finds the last click of the visitor or customer by an as-of join, keeps what is inside the plan's
window, and rounds rate times amount. One order of four lines comes for 40 clicks, a visitor has 10
clicks, a third of them signed in, and 50 affiliates share them; rules and plans are few, as shops
have them.
"""

from graphlib import TopologicalSorter
from pathlib import Path

from benchmarks.compiled_models import Nodes, each_size, judge_clicks

SIZES = (1_000_000, 3_000_000, 10_000_000)
COMMISSIONS = "int_affiliate__commissions"
# Models of ours that are given, and so not measured: verdicts have a benchmark of their own.
GIVEN_MODELS = {"int_affiliate__judged_clicks", "int_affiliate__own_identities"}
# What the models read of others, for getvariable('clicks') clicks of a year.
GIVEN = """
create table staging.stg_affiliate__affiliates as
select 'a' || i as affiliate_id, 'c' || 1000 * i as customer_id, 'active' as status,
    timestamptz '2025-01-01 00:00:00+00' as status_since,
    timestamptz '2025-01-01 00:00:00+00' as joined_at, 'GBP' as payout_currency
from range(50) as r(i);

create table staging.stg_affiliate__commission_plans as
select 'usual' as plan_id, null::varchar as affiliate_id, null::varchar as category, 1 as tier,
    0::decimal(18, 4) as tier_min_sales, 0.1::decimal(18, 8) as rate, 30 as window_days,
    30 as hold_days, timestamptz '2025-01-01 00:00:00+00' as valid_from,
    null::timestamptz as valid_to;

create table staging.stg_shop__products as
select 'mug' as product_id, 'kitchen' as category, true as is_commissionable;

create table intermediate.int_affiliate__judged_clicks as
select
    'k' || i as click_id, 'a' || hash(i, 1) % 50 as affiliate_id, 'v' || person as visitor_id,
    case when hash(i, 2) % 3 = 0 then 'c' || person end as customer_id, 'valid' as validity,
    null::varchar as validity_rule, false as is_reviewed, 15 as click_order_minimum_seconds,
    timestamptz '2026-01-01 00:00:00+00' + to_seconds((hash(i, 3) % 31536000)::bigint)
        as occurred_at
from (
    select i, hash(i, 4) % (getvariable('clicks') // 10) as person
    from range(getvariable('clicks')) as r(i)
);

create table intermediate.int_core__orders as
select
    'o' || i as order_id, 'v' || person as visitor_id, 'c' || person as customer_id,
    'shipped' as status, true as is_counted, true as is_first_order, ordered_at,
    ordered_at::date as order_date
from (
    select i, hash(i, 5) % (getvariable('clicks') // 10) as person,
        timestamptz '2026-02-01 00:00:00+00' + to_seconds((hash(i, 6) % 25000000)::bigint)
            as ordered_at
    from range(getvariable('clicks') // 40) as r(i)
);

create table intermediate.int_core__order_lines as
select
    order_id || '-' || n as order_line_id, order_id, 'main' as cell, customer_id,
    'mug' as product_id, 'mug' as product_code, 'product' as line_kind, 1 as quantity,
    'GBP' as currency, (10 + n)::decimal(18, 4) as source_amount,
    (10 + n)::decimal(18, 4) as line_amount, ordered_at, order_date
from intermediate.int_core__orders, range(4) as r(n);

create table staging.stg_shop__orders as
select order_id, ordered_at, 'GBP' as currency, null::varchar as coupon_code
from intermediate.int_core__orders;

create table intermediate.int_finance__order_rates as
select order_id, 'GBP' as currency, order_date as rate_date, 1::decimal(18, 8) as rate
from intermediate.int_core__orders;

create table intermediate.int_finance__rates (
    currency varchar, rate_date date, rate decimal(18, 8)
);
create table intermediate.int_core__resolved_events (
    event_id varchar, event_type varchar, customer_id varchar
);
create table intermediate.int_core__customer_aliases (
    merged_customer_id varchar, customer_id varchar
);
create table intermediate.int_core__sessions (
    session_id varchar, visitor_id varchar, customer_id varchar, channel varchar,
    started_at timestamptz
);
create table intermediate.int_core__numbers as
select i::integer as day_number from range(100000) as r(i);
create table intermediate.int_affiliate__own_identities (
    affiliate_id varchar, identity_kind varchar, identity_id varchar, rule varchar,
    first_at timestamptz, last_at timestamptz
);
create table staging.stg_activity__cart_events (
    event_id varchar, visitor_id varchar, customer_id varchar, product_id varchar,
    action varchar, occurred_at timestamptz
);
create table staging.stg_billing__payments (
    payment_id varchar, order_id varchar, kind varchar, status varchar, amount decimal(18, 4),
    paid_at timestamptz
);
create table ledger.entries (
    entry_id varchar, account varchar, affiliate_id varchar, order_line_id varchar,
    entry_type varchar, cause_type varchar, amount decimal(18, 2), currency varchar,
    rate decimal(18, 8), fx_rate decimal(18, 8), posted_at timestamptz
);
create table ledger.statements (
    statement_number varchar, affiliate_id varchar, period date, net_sales decimal(18, 4),
    closed_at timestamptz
);
create table ledger.decisions (
    kind varchar, affiliate_id varchar, click_id varchar, order_line_id varchar, days integer,
    effective_at timestamptz
);
"""
BARE = """
create or replace table bare as
with clicks as (
    select 'visitor ' || visitor_id as person, affiliate_id, click_id, occurred_at
    from intermediate.int_affiliate__judged_clicks where validity in ('valid', 'self')
    union all
    select 'customer ' || customer_id, affiliate_id, click_id, occurred_at
    from intermediate.int_affiliate__judged_clicks
    where validity in ('valid', 'self') and customer_id is not null
),
lines as (
    select order_line_id, person, orders.ordered_at, source_amount
    from intermediate.int_core__order_lines
    inner join (
        select order_id, ordered_at, 'visitor ' || visitor_id as person
        from intermediate.int_core__orders
        union all
        select order_id, ordered_at, 'customer ' || customer_id from intermediate.int_core__orders
    ) as orders using (order_id)
)
select
    order_line_id, arg_max(click_id, occurred_at) as click_id,
    any_value(round(source_amount * rate, 2)) as amount
from lines
asof inner join clicks on lines.person = clicks.person and lines.ordered_at > clicks.occurred_at
inner join staging.stg_affiliate__commission_plans as plans on lines.ordered_at >= plans.valid_from
where occurred_at >= ordered_at - window_days * interval '1 day'
group by order_line_id
"""
CHECK = f"""
select format(
    '{{:,}} lines of an affiliate, {{:,}} other than by the bare query', count(*),
    count(*) filter (where ours.click_id is distinct from bare.click_id
        or ours.commission_amount is distinct from bare.amount)
)
from intermediate.{COMMISSIONS} as ours full join bare using (order_line_id)
"""


def models_of(nodes: Nodes) -> list[str]:
    """Return the models from judged clicks to commissions, and the seeds they read, in order."""
    graph: dict[str, list[str]] = {}
    waiting = [one for one, node in nodes.items() if node["name"] == COMMISSIONS]
    while waiting:
        identity = waiting.pop()
        node = nodes[identity]
        is_ours = node["name"].startswith("int_affiliate__") or node["resource_type"] == "seed"
        if identity in graph or not is_ours or node["name"] in GIVEN_MODELS:
            continue
        graph[identity] = node.get("depends_on", {}).get("nodes", [])
        waiting += graph[identity]
    return [one for one in TopologicalSorter(graph).static_order() if one in graph]


def build(nodes: Nodes, folder: Path, clicks: int) -> None:
    """Attribute the lines of one size and print what it took."""
    judge_clicks(nodes, folder, clicks, models_of(nodes), (GIVEN, BARE, CHECK))


if __name__ == "__main__":
    each_size(__file__, SIZES, build)
