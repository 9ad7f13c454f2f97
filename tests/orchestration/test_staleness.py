"""A run builds again what reads something that changed, and nothing else."""

import zoneinfo
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration import staleness
from orchestration.staleness import Now
from warehouse.load.builds import Built

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def model(name: str, *macros: str, kind: str = "model") -> dict[str, Any]:
    return {
        "name": name,
        "resource_type": kind,
        "schema": "core",
        "alias": name,
        "fqn": ["p", "marts", name],
        "depends_on": {"macros": [f"macro.p.{macro}" for macro in macros]},
    }


# orders and refunds are read by a staging model each; the solver reads both; `today` and `lines`
# depend on as_of; `solved` is what the solver writes.
GRAPH = {
    "raw.orders": [],
    "raw.refunds__history": [],
    "solved.refund_allocations": [],
    "stg_orders": ["raw.orders"],
    "stg_refunds": ["raw.refunds__history"],
    "int_core__refunds_to_allocate": ["stg_refunds"],
    "int_core__refundable_lines": ["stg_orders"],
    "orders": ["stg_orders", "solved.refund_allocations"],
    "today": ["stg_orders"],
    "orders_are_unique": ["orders"],
    "stg_orders_are_unique": ["stg_orders"],
    "refunds_reconcile": ["stg_refunds", "orders"],
}
MACROS = {"stg_orders": ["visible"], "today": ["as_of_date"]}
# `visible` is a macro of somebody's own, `as_of_date` asks for as_of itself
CALLS = {"visible": ["is_due"], "is_due": ["as_of"], "as_of_date": ["as_of"], "as_of": []}
TESTS = {"orders_are_unique", "stg_orders_are_unique", "refunds_reconcile"}


def manifest() -> dict[str, Any]:
    sources = {
        name: {"schema": "solved" if name.startswith("solved") else "raw_shop", "identifier": table}
        for name in GRAPH
        if (table := name.partition(".")[2])
    }
    nodes = {
        name: model(name, *MACROS.get(name, ()), kind="test" if name in TESTS else "model")
        for name in GRAPH
        if name not in sources
    }
    macros = {
        f"macro.p.{name}": {"depends_on": {"macros": [f"macro.p.{other}" for other in called]}}
        for name, called in CALLS.items()
    }
    return {"nodes": nodes, "sources": sources, "macros": macros, "parent_map": GRAPH}


def now(**changes: Any) -> Now:
    base = Now(
        models="m1",
        changes={("shop", "orders"): "load 1", ("shop", "refunds"): "load 1"},
        as_of=NOON,
        due={},
        zone=zoneinfo.ZoneInfo("Europe/London"),
    )
    return replace(base, **changes)


def built(at: Now) -> dict[str, Built]:
    return {entry.node: entry for entry in staleness.to_record(manifest(), GRAPH, at)}


def planned(at: Now, earlier: Mapping[str, Built]) -> tuple[set[str], set[str], set[str]]:
    plan = staleness.plan(manifest(), earlier, at)
    return set(plan.before), set(plan.solved), set(plan.after)


def test_what_was_never_built_is_built_whole_and_in_two_parts_around_the_solver() -> None:
    assert planned(now(), {}) == (
        set(GRAPH)
        - {"solved.refund_allocations", "orders", "orders_are_unique"}
        - {"refunds_reconcile"},
        {"solved.refund_allocations"},
        {"orders", "orders_are_unique", "refunds_reconcile"},
    )


def test_nothing_is_built_where_nothing_changed() -> None:
    assert staleness.plan(manifest(), built(now()), now()) == staleness.NOTHING


def test_a_changed_raw_table_rebuilds_what_reads_it_and_runs_every_test_on_that() -> None:
    later = now(changes={("shop", "orders"): "load 1", ("shop", "refunds"): "load 2"})
    assert planned(later, built(now())) == (
        {"raw.refunds__history", "stg_refunds", "int_core__refunds_to_allocate"},
        {"solved.refund_allocations"},
        {"orders", "orders_are_unique", "refunds_reconcile"},
    )


def test_changed_models_rebuild_everything() -> None:
    assert planned(now(models="m2"), built(now())) == planned(now(), {})


def test_a_later_hour_rebuilds_only_what_asks_for_the_instant_or_has_rows_that_became_due() -> None:
    later = now(as_of=datetime(2026, 5, 1, 13, tzinfo=UTC))
    assert planned(later, built(now())) == (set(), set(), set())
    due = replace(later, due={"stg_orders": datetime(2026, 5, 1, 12, 30, tzinfo=UTC)})
    assert planned(due, built(now()))[0] == {
        "stg_orders",
        "stg_orders_are_unique",
        "int_core__refundable_lines",
        "today",
    }


@pytest.mark.parametrize(
    ("hour", "rebuilt"),
    [
        (datetime(2026, 5, 1, 22, tzinfo=UTC), set()),
        (datetime(2026, 5, 1, 23, tzinfo=UTC), {"today"}),
    ],
    ids=["before midnight in London", "after it"],
)
def test_a_model_that_asks_for_the_day_is_rebuilt_when_the_reporting_day_changes(
    hour: datetime, rebuilt: set[str]
) -> None:
    assert planned(now(as_of=hour), built(now()))[0] == rebuilt


def test_an_earlier_as_of_hides_rows_again() -> None:
    earlier = now(as_of=datetime(2026, 5, 1, 11, tzinfo=UTC))
    assert "stg_orders" in planned(earlier, built(now()))[0]


def test_a_build_that_failed_is_repeated_although_raw_is_as_it_was_before() -> None:
    records = built(now())
    for node in ("stg_refunds", "orders"):  # forgotten before they were built, and never recorded
        del records[node]
    before, solved, after = planned(now(), records)
    assert before == {"stg_refunds", "int_core__refunds_to_allocate"}
    assert solved == {"solved.refund_allocations"}
    assert after == {"orders", "orders_are_unique", "refunds_reconcile"}


@given(st.sets(st.sampled_from(sorted(GRAPH))))
def test_whatever_reads_something_stale_is_stale(missing: set[str]) -> None:
    records = {node: entry for node, entry in built(now()).items() if node not in missing}
    stale = staleness.plan(manifest(), records, now()).nodes
    assert missing - TESTS <= stale
    for node, parents in GRAPH.items():
        if stale & {*parents}:
            assert node in stale


def test_what_reads_a_table_that_no_load_and_no_solver_writes_is_always_built_again() -> None:
    elsewhere = manifest()
    elsewhere["sources"]["raw.orders"]["schema"] = "typed_by_hand"
    records = {entry.node: entry for entry in staleness.to_record(elsewhere, GRAPH, now())}
    plan = staleness.plan(elsewhere, records, now())
    assert {"stg_orders", "orders", "today"} <= plan.nodes
    assert "stg_refunds" not in plan.nodes


def test_dbt_is_asked_for_exactly_the_nodes_of_a_plan() -> None:
    assert selected("stg_orders", "raw.orders") == ("--select", "p.marts.stg_orders")
    assert selected("orders", "orders_are_unique", "refunds_reconcile") == (
        *("--select", "source:solved+"),
    )
    assert selected("orders", "orders_are_unique") == (
        *("--select", "source:solved+", "--exclude", "p.marts.refunds_reconcile"),
    )
    before = {node for node in manifest()["nodes"] if node != "orders" and "reconcile" not in node}
    before -= {"orders_are_unique"}
    assert selected(*before) == ("--exclude", "source:solved+")
    assert selected(*before - {"today"}) == ("--exclude", "source:solved+", "p.marts.today")
    assert staleness.selection(manifest(), {"raw.orders"}) == ()
    # which no plan has: a run takes no snapshots
    with_snapshot = manifest()
    with_snapshot["nodes"]["prices"] = model("prices", kind="snapshot")
    assert staleness.selection(with_snapshot, before)[:3] == (
        *("--exclude", "source:solved+", "p.marts.prices"),
    )


@pytest.mark.parametrize("called", [["p", "marts"], ["p", "marts", "stg_orders"]])
def test_what_has_the_name_of_a_folder_or_of_another_node_leaves_nothing_else_out(
    called: list[str],
) -> None:
    alike = manifest()
    alike["nodes"]["today"]["fqn"] = called
    before = alike["nodes"].keys() - {"today", "orders", "orders_are_unique", "refunds_reconcile"}
    assert staleness.selection(alike, before) == (
        *("--select", *(f"p.marts.{name}" for name in sorted(before))),
        *("--indirect-selection", "empty"),
    )


def test_of_a_project_without_solvers_no_name_is_said_that_dbt_would_warn_of() -> None:
    plain = manifest()
    plain["sources"] = {one: it for one, it in plain["sources"].items() if it["schema"] != "solved"}
    plain["parent_map"] = {
        node: [parent for parent in parents if parent in plain["sources"] | plain["nodes"]]
        for node, parents in GRAPH.items()
    }
    empty = ("--indirect-selection", "empty")
    assert staleness.selection(plain, plain["nodes"]) == empty
    assert staleness.selection(plain, plain["nodes"].keys() - {"today"}) == (
        *("--exclude", "p.marts.today"),
        *empty,
    )


def selected(*nodes: str) -> tuple[str, ...]:
    *chosen, option, value = staleness.selection(manifest(), nodes)
    assert (option, value) == ("--indirect-selection", "empty")
    return tuple(chosen)
