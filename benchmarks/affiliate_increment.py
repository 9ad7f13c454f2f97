"""Measure what a day costs the models that attribute lines to affiliates, against a full build.

    python benchmarks/affiliate_increment.py [CLICKS ...]

Each size runs in a process of its own, on DuckDB with 2 threads: the shop of a year of
affiliate_commissions.py, from judged clicks to commissions, as dbt builds it; the statements of the
models are measured, not what dbt itself does. Then what it earned is posted, but for the last day,
and the tables are brought up to date. Another day comes: one in 365 clicks and orders more, of
buyers who were there before, one in 2,000 orders cancelled, and the day before posted. At the end
the same tables are built anew, and have to hold the same rows. Prints for each model the seconds of
the processors of a full build and of the day.
"""

from pathlib import Path

import duckdb

from benchmarks.affiliate_commissions import COMMISSIONS, GIVEN, models_of
from benchmarks.compiled_models import Figures, Nodes, each_size, make, opened, run_dbt

SIZES = (1_000_000, 3_000_000, 10_000_000)
LAST_DAY = "2026-11-16"  # of orders: they end there in that shop
POST = f"""
insert into ledger.entries
select 'e' || order_line_id as entry_id, 'commission_expense' as account, affiliate_id,
    order_line_id, 'accrual' as entry_type, 'order' as cause_type, commission_amount as amount,
    currency, rate, fx_rate, timestamptz '2026-12-26 00:00:00+00' as posted_at
from intermediate.{COMMISSIONS}
where commission_amount > 0 and (ordered_at >= timestamptz '{LAST_DAY} 00:00:00+00') = ?
"""
DAY = """
insert into intermediate.int_affiliate__judged_clicks by name
select * replace (
    'new' || click_id as click_id,
    timestamptz '2026-12-26 00:00:00+00' + to_seconds(hash(click_id, 7) % 80000) as occurred_at
)
from intermediate.int_affiliate__judged_clicks where hash(click_id, 8) % 365 = 0;

update intermediate.int_core__orders set status = 'cancelled', is_counted = false
where hash(order_id, 9) % 2000 = 0;

create temp table new_orders as
select * replace (
    'new' || order_id as order_id, date '2026-12-26' as order_date,
    timestamptz '2026-12-26 00:00:00+00' + to_seconds(hash(order_id, 7) % 80000) as ordered_at
)
from intermediate.int_core__orders where hash(order_id, 8) % 365 = 0;

insert into intermediate.int_core__order_lines by name
select lines.* replace (
    'new' || order_line_id as order_line_id, new_orders.order_id as order_id,
    new_orders.ordered_at as ordered_at, new_orders.order_date as order_date
)
from intermediate.int_core__order_lines as lines
inner join new_orders on 'new' || lines.order_id = new_orders.order_id;

insert into staging.stg_shop__orders by name
select order_id, ordered_at, 'GBP' as currency from new_orders;
insert into intermediate.int_finance__order_rates by name
select order_id, 'GBP' as currency, order_date as rate_date, 1::decimal(18, 8) as rate
from new_orders;
insert into intermediate.int_core__orders by name select * from new_orders;
"""
DIFFERENT = f"""
select count(*) from (
    (from intermediate.{COMMISSIONS} except from updated)
    union all (from updated except from intermediate.{COMMISSIONS})
)
"""


def build(nodes: Nodes, folder: Path, clicks: int) -> None:
    """Build one size, add a day, build again, and print what both took."""
    order = models_of(nodes)
    names = [nodes[one]["name"] for one in order if nodes[one]["resource_type"] == "model"]
    with opened(folder) as connection:
        for schema in ("staging", "intermediate", "seeds", "ledger"):
            connection.execute(f"create schema if not exists {schema}")
        connection.execute(f"set variable clicks = {clicks}")
        connection.execute(GIVEN)
        for node in (nodes[one] for one in order if nodes[one]["resource_type"] == "seed"):
            make(connection, node)
    whole, day, again = Figures(), Figures(), Figures()
    run_dbt(folder, names, whole)
    with opened(folder) as connection:
        lines = count(connection, COMMISSIONS)
        connection.execute(POST, [False])
    run_dbt(folder, names, Figures())
    with opened(folder) as connection:
        connection.execute(POST, [True])
        connection.execute(DAY)
    run_dbt(folder, names, day)
    with opened(folder) as connection:
        more = count(connection, COMMISSIONS) - lines
        connection.execute(f"create table updated as from intermediate.{COMMISSIONS}")
    run_dbt(folder, names, again, "--full-refresh")
    with opened(folder) as connection:
        [[different]] = connection.execute(DIFFERENT).fetchall()
    full, part = whole.total(*whole.steps), day.total(*day.steps)
    print(
        f"{clicks:,} clicks, {lines:,} lines of affiliates: a full build {full[0]:.1f} s,"
        f" processors {full[1]:.1f} s\n  a day with {more:,} lines more"
        f" {part[0]:.1f} s, {part[1]:.1f} s: {part[1] / full[1]:.1%} of the processor time;"
        f" {different} rows other than built anew"
    )
    for name in sorted(whole.steps, key=lambda one: -whole.processors[one]):
        print(f"    {whole.processors[name]:6.2f} s {day.processors[name]:6.2f} s  {name}")


def count(connection: duckdb.DuckDBPyConnection, model: str) -> int:
    """Return how many rows a model has."""
    [[rows]] = connection.execute(f"select count(*) from intermediate.{model}").fetchall()
    return rows


if __name__ == "__main__":
    each_size(__file__, SIZES, build)
