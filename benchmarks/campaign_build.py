"""Measure the SQL and the solver from staged events to the campaign schema, against one bare query.

And what one in a hundred new events costs afterwards, against that full build.

    python benchmarks/campaign_build.py [EVENTS ...]

Each size runs in a process of its own: 10 events per order, about 3 considered touchpoints. dbt
runs the models one after the other, on DuckDB with 2 threads; their statements and the solver are
measured, not what dbt itself does before, between and after them. The bare query numbers the visits
of the same events and keeps them; copying the tables that were made tells what writing them costs,
whatever they are worked out from. State keeps the weights of final months, as it does between two
runs; December, of 26 days, is open.
"""

import resource
from collections.abc import Mapping
from datetime import date
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from analytics.channel_weights import Weight
from benchmarks.compiled_models import PROJECT, Figures, Nodes, each_size, opened, run_dbt
from orchestration import lineage, solved

SHOP = Path(__file__).with_name("campaign_shop.sql")
NEWS = Path(__file__).with_name("campaign_news.sql")
SIZES = (1_000_000, 3_000_000, 10_000_000)
EVENTS, REFUNDS = "stg_campaign__events", "refund_allocations"
# What affiliates cost has models and a solver of its own: here there are none.
COSTS = "int_affiliate__line_costs"

# Half an hour of silence, or a landing from elsewhere, begins a visit; each event gets its visit.
BARE = """
create or replace table bare as
with valued as (
    select
        event_id, event_type, occurred_at, visitor_id, customer_id, landing_page, channel,
        campaign_id, concat_ws('|', channel, campaign_id) as came_by,
        lag(occurred_at) over visits as previous_at, lag(came_by) over visits as came_before_by
    from staging.stg_campaign__events
    where event_type in ('landing_view', 'link_click')
    window visits as (partition by visitor_id order by occurred_at, event_id)
)
select
    * exclude (previous_at, came_by, came_before_by),
    md5(visitor_id || '|' || sum(
        case
            when occurred_at <= previous_at + interval '30 minutes'
                and (event_type <> 'landing_view' or came_by = '' or came_by = came_before_by)
                then 0
            else 1
        end
    ) over (
        partition by visitor_id order by occurred_at, event_id
        rows between unbounded preceding and current row
    )) as session_id
from valued
"""


def graph_of(nodes: Nodes) -> dict[str, list[str]]:
    """Return what the campaign schema is made from, and itself, each with what it reads.

    Staging is given, and so are refunds; the solver of weights reads models of ours.
    """
    graph: dict[str, list[str]] = {}
    waiting = sorted(one for one, node in nodes.items() if is_campaign_mart(node))
    by_name = {node["name"]: one for one, node in nodes.items()}
    while waiting:
        identity = waiting.pop()
        node = nodes[identity]
        if identity in graph:
            continue
        reads = node.get("depends_on", {}).get("nodes", [])
        if node["schema"] == "solved" and node["name"] != REFUNDS:
            reads = [by_name[name] for name in lineage.SOLVED[node["name"]]]
        graph[identity] = [] if is_given(node) else reads
        waiting += graph[identity]
    return graph


def is_given(node: Mapping[str, Any]) -> bool:
    """Tell whether a node is a table that the shop has, or an empty one."""
    return node["schema"] == "staging" or node["name"] == COSTS


def is_campaign_mart(node: Mapping[str, Any]) -> bool:
    """Tell whether a node is a table of the schema that is measured."""
    return node["resource_type"] == "model" and node["schema"] == "campaign"


def is_table(node: Mapping[str, Any]) -> bool:
    """Tell whether a node is a table that a measured model makes."""
    is_model = node["resource_type"] == "model" and not is_given(node)
    return is_model and node["config"]["materialized"] != "view"


def copy_all(connection: duckdb.DuckDBPyConnection, tables: list[Mapping[str, Any]]) -> None:
    """Write tables once more, and drop the copies."""
    connection.execute("create schema copies")
    for table in tables:
        name = table["alias"]
        connection.execute(f"create table copies.{name} as from {table['schema']}.{name}")
    connection.execute("checkpoint")
    connection.execute("drop schema copies cascade")


def measured(nodes: Nodes, graph: Mapping[str, list[str]], order: list[str]) -> set[str]:
    """Return what comes after the staged events, or is about campaigns alone."""
    after = {identity for identity in order if nodes[identity]["name"] == EVENTS}
    for identity in order:
        node = nodes[identity]
        is_ours = node["resource_type"] == "model" and "campaign" in node["fqn"]
        if not is_given(node) and (is_ours or after.intersection(graph[identity])):
            after.add(identity)
    return after


def stage(connection: duckdb.DuckDBPyConnection, node: Mapping[str, Any]) -> None:
    """Make a given table of its described columns, with rows where the shop has some."""
    described = connection.execute(
        "select column_name, data_type from duckdb_columns()"
        " where schema_name = 'shop' and table_name = ?",
        [node["name"]],
    )
    given: dict[str, str] = dict(described.fetchall())
    kinds = {name: column["data_type"] for name, column in node["columns"].items()} or given
    columns = ", ".join(
        f"cast({name if name in given else absent(kind)} as {kind}) as {name}"
        for name, kind in kinds.items()
    )
    rows = f"from shop.{node['name']}" if given else "where false"
    connection.execute(f"create table {node['schema']}.{node['alias']} as select {columns} {rows}")


def absent(kind: str) -> str:
    """Return the value of a column that the shop does not speak of."""
    return "false" if kind == "boolean" else "null"


def build(nodes: Nodes, folder: Path, events: int) -> None:
    """Build one size, whole and then with news, and print what it took."""
    graph = graph_of(nodes)
    order = list(TopologicalSorter(graph).static_order())
    names = measured(nodes, graph, order)
    with opened(folder) as connection:
        for schema in {node["schema"] for node in nodes.values()}:
            connection.execute(f'create schema if not exists "{schema}"')
        connection.execute(f"set variable events = {events}")
        connection.execute(SHOP.read_text(encoding="utf-8"))
        connection.execute(f"create table solved.{REFUNDS} as from shop.{REFUNDS}")
        given(connection, nodes, order, names)
    whole, news = Figures(), Figures()
    update(nodes, folder, order, names, whole, solved.NOTHING)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    with opened(folder) as connection:
        for turn in range(2):
            whole.measure(f"bare {turn}", lambda: connection.execute(BARE))
        connection.execute("drop table bare")
        copies = [nodes[one] for one in order if one in names and is_table(nodes[one])]
        whole.measure("copying", lambda: copy_all(connection, copies))
        report(connection, whole, memory)
        connection.execute(f"set variable events = {events}")
        connection.execute(NEWS.read_text(encoding="utf-8"))
        given(connection, nodes, order, names)
        kept = final_months(connection)
    update(nodes, folder, order, names, news, kept)
    full, part = whole.total(*whole.steps), news.total(*news.steps)
    print(
        f"  1 % new events {part[0]:6.1f} s, processors {part[1]:6.1f} s:"
        f" {part[1] / full[1]:.1%} of the full build's processor time"
    )
    news.tell_steps(14)


def given(
    connection: duckdb.DuckDBPyConnection, nodes: Nodes, order: list[str], names: set[str]
) -> None:
    """Make what is not measured: seeds, staging where it is absent, and what reads no event."""
    there = {
        tuple(row)
        for row in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall()
    }
    for identity in order:
        node = nodes[identity]
        name, schema = node["name"], node["schema"]
        if identity in names and not is_given(node):
            continue
        if node["resource_type"] == "seed":
            path = PROJECT / node["original_file_path"]
            connection.execute(
                f"create or replace table {schema}.{name} as from read_csv('{path}', nullstr = '')"
            )
        elif is_given(node):
            if (schema, node["alias"]) not in there:
                stage(connection, node)
        elif node["resource_type"] == "model":
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            connection.execute(
                f"create or replace {kind} {schema}.{node['alias']} as {node['compiled_code']}"
            )


def update(
    nodes: Nodes,
    folder: Path,
    order: list[str],
    names: set[str],
    figures: Figures,
    kept: solved.Kept,
) -> None:
    """Bring what is measured up to date: dbt up to the solver, the solver, dbt."""
    graph = graph_of(nodes)
    solvers = {
        one for one in order if nodes[one]["schema"] == "solved" and nodes[one]["name"] != REFUNDS
    }
    behind = set[str]()
    for identity in order:
        if behind.union(solvers).intersection(graph[identity]):
            behind.add(identity)
    models = [one for one in order if one in names and nodes[one]["resource_type"] == "model"]
    models = [one for one in models if nodes[one]["schema"] != "staging"]
    run_dbt(folder, [nodes[one]["name"] for one in models if one not in behind], figures)
    with opened(folder) as connection:
        for name in (nodes[one]["name"] for one in order if one in solvers):
            figures.measure(f"solve {name}", lambda one=name: solved.write(connection, one, kept))
            figures.steps.append(f"solve {name}")
    run_dbt(folder, [nodes[one]["name"] for one in models if one in behind], figures)


def final_months(connection: duckdb.DuckDBPyConnection) -> solved.Kept:
    """Return what state would keep of the months that are final."""
    weights: dict[date, list[Weight]] = {}
    for row in connection.execute(
        "select period, model, channel, effect, share, share_low, share_high, is_final, settings_id"
        " from solved.channel_weights where is_final"
    ).fetchall():
        weights.setdefault(row[0], []).append(Weight(*row))
    return solved.Kept(weights)


def report(connection: duckdb.DuckDBPyConnection, figures: Figures, memory: float) -> None:
    """Print the ratio to the bare query, and the steps that took most."""
    counts = connection.execute(
        "select (select count(*) from staging.stg_campaign__events),"
        " (select count(*) from staging.stg_shop__orders), count(*), count(order_id)"
        " from intermediate.int_campaign__path_touches"
    ).fetchone()
    assert counts
    clock, processors = figures.total(*figures.steps)
    bare = min(figures.total("bare 0"), figures.total("bare 1"))
    print(
        f"{counts[0]:,} events, {counts[1]:,} orders, {counts[2]:,} considered touchpoints"
        f" ({counts[3] / counts[1]:.2f} per order)"
    )
    print(
        f"  campaign schema {clock:6.1f} s, processors {processors:6.1f} s;"
        f" bare query {bare[0]:5.1f} s, {bare[1]:5.1f} s;"
        f" ratio {clock / bare[0]:.2f}, of processor time {processors / bare[1]:.2f};"
        f" peak memory {memory:.1f} GiB"
    )
    copying = figures.total("copying")
    print(
        f"  copying its tables {copying[0]:6.1f} s, processors {copying[1]:6.1f} s:"
        f" {copying[0] / bare[0]:.2f} times the bare query, of processor time"
        f" {copying[1] / bare[1]:.2f}"
    )
    figures.tell_steps(14)


if __name__ == "__main__":
    each_size(__file__, SIZES, build)
