"""Decide which models a run builds again: those whose inputs changed, and all that read them."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from orchestration import lineage
from warehouse.engines.duckdb_raw import HISTORY
from warehouse.load.builds import Built

# How a model depends on as_of is told by the macro that it calls, itself or through another one.
AT_ANY_INSTANT, AT_ANY_DAY, WHEN_ROWS_ARE_DUE = "as_of", "as_of_date", "is_due"
# Commissions become payable, and decisions count, at an instant of their own.
PROPOSAL = "commission_proposal"
WHEN_LINES_MATURE = ("commission_due", PROPOSAL)


@dataclass(frozen=True, slots=True)
class Now:
    """What a build would be made from: models, raw tables, and the tick it is for.

    `changes` tells for each raw table (source, entity) a text that differs whenever its rows do;
    `due` (model -> instant) when the first row that a model keeps waiting becomes due; `zone` is
    the reporting time zone; `kept` tells for a table of the solvers, or of the ledger
    (`ledger.entries`), a text that differs whenever what state keeps of it does.
    """

    models: str
    changes: Mapping[tuple[str, str], str]
    as_of: datetime
    due: Mapping[str, datetime]
    zone: tzinfo
    kept: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Plan:
    """The nodes to build, by dbt before the solvers, by the solvers, and by dbt after them.

    Raw tables that changed are among the first: tests may read them.
    """

    before: frozenset[str]
    solved: frozenset[str]
    after: frozenset[str]

    @property
    def nodes(self) -> frozenset[str]:
        return self.before | self.solved | self.after


NOTHING = Plan(frozenset(), frozenset(), frozenset())


def plan(manifest: Mapping[str, Any], built: Mapping[str, Built], now: Now) -> Plan:
    """Return what has to be built so that every model is as a build of everything would make it.

    `built` are the nodes that are built and audited. Tests are nodes too: one is run again when
    any table that it reads is.
    """
    graph = lineage.parents(manifest)
    behind_solvers = _below(graph, lineage.solved_sources(manifest))
    roots = {
        node for node in _nodes(manifest) if _is_stale(manifest, node, graph, built.get(node), now)
    }
    stale = _below(graph, roots) & (manifest["nodes"].keys() | manifest["sources"].keys())
    solved = lineage.solved_sources(manifest).keys()
    return Plan(
        frozenset(stale - behind_solvers),
        frozenset(stale & solved),
        frozenset(stale & behind_solvers - solved),
    )


def to_record(manifest: Mapping[str, Any], nodes: Iterable[str], now: Now) -> list[Built]:
    """Return the records of nodes that were built and audited; tests have none."""
    graph = lineage.parents(manifest)
    return [
        Built(
            node,
            _table(manifest, node),
            now.models,
            _inputs(manifest, node, graph, now),
            now.as_of,
        )
        for node in sorted(nodes)
        if manifest["nodes"].get(node, {}).get("resource_type") != "test"
    ]


def selection(manifest: Mapping[str, Any], nodes: Iterable[str]) -> tuple[str, ...]:
    """Return the arguments that make dbt build exactly these nodes, none where there is nothing.

    They are of one of its two calls. Where most of a call's are built, the others are named: dbt
    compares each name with each node of the project, which takes seconds for some hundreds.
    """
    built = {node for node in nodes if node in manifest["nodes"]}
    if not built:
        return ()
    behind_solvers = _below(lineage.parents(manifest), lineage.solved_sources(manifest))
    is_after = not built.isdisjoint(behind_solvers)
    left_out = {
        identity
        for identity in manifest["nodes"]
        if (identity in behind_solvers) == is_after and identity not in built
    }
    if len(left_out) >= len(built) or _takes_along(manifest, left_out, built):
        chosen = ("--select", *_names(manifest, built))
    else:
        selected = ("--select", lineage.AFTER_SOLVERS) if is_after else ()
        others = _names(manifest, left_out)
        if behind_solvers and not is_after:
            others = [lineage.AFTER_SOLVERS, *others]
        chosen = (*selected, *(("--exclude", *others) if others else ()))
    return (*chosen, "--indirect-selection", "empty")


def _takes_along(
    manifest: Mapping[str, Any], left_out: Iterable[str], built: Iterable[str]
) -> bool:
    """Return whether dbt takes the name of something left out, a folder's too, for more."""
    others = set(_names(manifest, left_out))
    return any(
        name in others
        for whole in _names(manifest, built)
        for name in itertools.accumulate(whole.split("."), "{}.{}".format)
    )


def _names(manifest: Mapping[str, Any], nodes: Iterable[str]) -> list[str]:
    return sorted(".".join(manifest["nodes"][node]["fqn"]) for node in nodes)


def _nodes(manifest: Mapping[str, Any]) -> set[str]:
    """Return what a build makes or reads: models, seeds, raw tables, and the solvers' tables."""
    made = {
        identity
        for identity, node in manifest["nodes"].items()
        if node["resource_type"] in {"model", "seed"}
    }
    return made | manifest["sources"].keys()


def _is_stale(
    manifest: Mapping[str, Any],
    node: str,
    graph: Mapping[str, Iterable[str]],
    built: Built | None,
    now: Now,
) -> bool:
    if built is None or built.models != now.models:
        return True
    if built.inputs != _inputs(manifest, node, graph, now):
        return True
    document = manifest["nodes"].get(node)
    if lineage.kept_sources(manifest).get(node) in WHEN_LINES_MATURE:
        due = now.due.get(PROPOSAL)
        return now.as_of < built.as_of or (due is not None and due <= now.as_of)
    if document is None:
        # what neither a load nor the warehouse writes may change at any time
        return not (lineage.raw_table(manifest, node) or node in lineage.kept_sources(manifest))
    macros = _called(manifest, document)
    if AT_ANY_INSTANT in macros and built.as_of != now.as_of:
        return True
    days = {instant.astimezone(now.zone).date() for instant in (built.as_of, now.as_of)}
    if AT_ANY_DAY in macros and len(days) > 1:
        return True
    if WHEN_ROWS_ARE_DUE in macros and built.as_of != now.as_of:
        due = _due(document["name"], now)
        return now.as_of < built.as_of or (due is not None and due <= now.as_of)
    return False


def _called(manifest: Mapping[str, Any], document: Mapping[str, Any]) -> set[str]:
    """Return the macros that a model calls, directly or not, but not what those of as_of call."""
    names, waiting = set[str](), [*document["depends_on"]["macros"]]
    while waiting:
        identity = waiting.pop()
        name = identity.rpartition(".")[2]
        if name not in names:
            names.add(name)
            if name not in {AT_ANY_INSTANT, AT_ANY_DAY, WHEN_ROWS_ARE_DUE}:
                waiting += manifest["macros"].get(identity, {"depends_on": {"macros": ()}})[
                    "depends_on"
                ]["macros"]
    return names


def _due(model: str, now: Now) -> datetime | None:
    """Return when a model's first waiting row becomes due; of one that is not listed, anyone's."""
    if model in now.due:
        return now.due[model]
    return min(now.due.values(), default=None)


def _inputs(
    manifest: Mapping[str, Any], node: str, graph: Mapping[str, Iterable[str]], now: Now
) -> str:
    """Return what the raw tables hold that a node reads itself, or is, and what state keeps."""
    if name := lineage.kept_sources(manifest).get(node):
        return now.kept.get(name, "")
    tables = {
        table
        for source in (node, *graph.get(node, ()))
        if (table := lineage.raw_table(manifest, source))
    }
    read = {(name, entity.removesuffix(HISTORY)) for name, entity in tables}
    return repr(sorted((table, now.changes.get(table, "")) for table in read))


def _below(graph: Mapping[str, Iterable[str]], roots: Iterable[str]) -> set[str]:
    """Return the roots and all that reads them, directly or not."""
    children: dict[str, list[str]] = {}
    for node, parents in graph.items():
        for parent in parents:
            children.setdefault(parent, []).append(node)
    seen, waiting = set[str](roots), list(roots)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return seen


def _table(manifest: Mapping[str, Any], node: str) -> tuple[str, str] | None:
    document = manifest["nodes"].get(node)
    return (document["schema"], document["alias"]) if document else None
