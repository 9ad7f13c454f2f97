"""Read the dbt manifest: what a mart is made from, what its key is, what its tests are about."""

import graphlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from extractors.errors import ConfigError
from warehouse.config import Settings
from warehouse.ledger import kept
from warehouse.publish.audit import FailedTest
from warehouse.publish.publication import PUBLIC_SCHEMAS

RAW_PREFIX = "raw_"
# Everything downstream of what the solvers write is built by dbt's second call.
AFTER_SOLVERS = "source:solved+"
_REF = re.compile(r"ref\('(\w+)'\)")
# What each solver reads, models by their name and other sources by schema and name: dbt sees its
# result as a source. Figures and restated periods are from state alone.
SOLVED: Mapping[str, Sequence[str]] = {
    "refund_allocations": ("int_core__refunds_to_allocate", "int_core__refundable_lines"),
    "channel_weights": ("int_campaign__path_counts", "int_campaign__periods"),
    "campaign_figures": (),
    "restated_periods": (),
    "commission_due": (
        *("int_affiliate__commissions", "int_core__refunds", "stg_billing__payments"),
        *("solved.refund_allocations", "ledger.decisions"),
    ),
    "commission_proposal": ("solved.commission_due", "ledger.entries", "ledger.statements"),
    "pair_counts": ("int_recommendation__basket_rows", "int_recommendation__pair_terms"),
    "basket_counts": ("solved.pair_counts",),
    "recommender_evaluation": ("recommendation__interactions", "int_recommendation__terms"),
    "related_products": (
        *("recommendation__interactions", "int_recommendation__products"),
        "solved.recommender_evaluation",
    ),
    "customer_neighbours": ("recommendation__interactions", "stg_shop__customers"),
    "customer_recommendations": (
        *("recommendation__interactions", "stg_shop__customers", "int_recommendation__products"),
        *("int_recommendation__customer_exclusions", "int_recommendation__terms"),
        "solved.recommender_evaluation",
    ),
}


def sources_of(manifest: Mapping[str, Any]) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return for each public table (schema, name) the raw tables (source, entity) upstream."""
    graph = parents(manifest)
    result: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for identity, node in _marts(manifest).items():
        raw = {
            table for parent in upstream(graph, identity) if (table := raw_table(manifest, parent))
        }
        result[node["schema"], node["alias"]] = sorted(raw)
    return result


def keys_of(manifest: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Return for each public table (schema, name) that has one the columns of its key.

    A key is what a `unique_key` or `unique` test of all rows is about. Of several the one named
    `<model>_key_is_unique` is the table's own.
    """
    marts = _marts(manifest)
    found: dict[str, dict[str, list[str]]] = {}
    for node in manifest["nodes"].values():
        about, test = node.get("attached_node"), node.get("test_metadata")
        if about not in marts or not test or node["config"].get("where"):
            continue
        if test["name"] == "unique_key":
            found.setdefault(about, {})[node["name"]] = list(test["kwargs"]["columns"])
        elif test["name"] == "unique":
            found.setdefault(about, {})[node["name"]] = [str(node["column_name"])]
    result: dict[tuple[str, str], list[str]] = {}
    for identity, keys in found.items():
        mart = marts[identity]
        own = f"{mart['name']}_key_is_unique"
        result[mart["schema"], mart["alias"]] = keys.get(own) or keys[min(keys)]
    return result


def references_of(
    manifest: Mapping[str, Any],
) -> dict[tuple[str, str], list[tuple[str, tuple[str, str], str]]]:
    """Return for each public table (schema, name) the columns that name rows of another.

    Of each its name, that table (schema, name) and the column there, as the `references_hold` tests
    say.
    """
    marts = _marts(manifest)
    named = {mart["name"]: (mart["schema"], mart["alias"]) for mart in marts.values()}
    result: dict[tuple[str, str], list[tuple[str, tuple[str, str], str]]] = {}
    for node in manifest["nodes"].values():
        mart, test = marts.get(node.get("attached_node")), node.get("test_metadata")
        if mart is None or not test or test["name"] != "references_hold":
            continue
        for reference in test["kwargs"]["references"]:
            model = _REF.search(reference["to"])
            if model and model[1] in named:
                found = (reference["column"], named[model[1]], reference["field"])
                result.setdefault((mart["schema"], mart["alias"]), []).append(found)
    return result


def _marts(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {
        identity: node
        for identity, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["schema"] in PUBLIC_SCHEMAS
    }


def made(manifest: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the tables (schema, name) that the nodes make or read."""
    return {
        *((node["schema"], node["alias"]) for node in manifest["nodes"].values()),
        *((entry["schema"], entry["identifier"]) for entry in manifest["sources"].values()),
    }


def require_filled(manifest: Path, settings: Settings) -> None:
    """Raise ConfigError naming the raw tables that staging reads and no configured table fills."""
    document: Mapping[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    filled = {
        (f"{RAW_PREFIX}{name}", entity)
        for name, source in settings.sources.items()
        for table in source.tables
        for entity in source.entities(table)
    }
    read = {
        (entry["schema"], entry["identifier"])
        for entry in document["sources"].values()
        if entry["schema"].startswith(RAW_PREFIX)
    }
    missing = sorted(read - filled)
    if missing:
        names = ", ".join(f"{schema}.{table}" for schema, table in missing)
        raise ConfigError(
            f"{settings.path.name}: nothing fills {names}, which staging reads; add the tables"
            " under sources, or rewrite the models in dbt_project/models/staging"
            " (`warehouse check` names them)"
        )


def parents(manifest: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Return the manifest's graph with the solvers' edges, which dbt does not know."""
    solved = {
        identity: list(solver_reads(manifest, solved))
        for identity, solved in solved_sources(manifest).items()
    }
    return {**manifest["parent_map"], **solved}


def solver_reads(manifest: Mapping[str, Any], solved: str) -> dict[str, tuple[str, str]]:
    """Return what a solver reads: nodes of the graph, and the table (schema, name) of each."""
    named = {
        node["name"]: identity
        for identity, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    named |= {
        f"{entry['schema']}.{entry['identifier']}": identity
        for identity, entry in manifest["sources"].items()
    }
    return {
        named[name]: table_of(manifest, named[name]) for name in SOLVED[solved] if name in named
    }


def table_of(manifest: Mapping[str, Any], identity: str) -> tuple[str, str]:
    """Return the table (schema, name) of a node of the graph."""
    node = manifest["nodes"].get(identity)
    if node:
        return node["schema"], node["alias"]
    entry = manifest["sources"][identity]
    return entry["schema"], entry["identifier"]


def in_order(manifest: Mapping[str, Any]) -> list[str]:
    """Return the models and seeds, each after all that it reads."""
    graph = graphlib.TopologicalSorter(parents(manifest))
    return [
        identity
        for identity in graph.static_order()
        if manifest["nodes"].get(identity, {}).get("resource_type") in {"model", "seed"}
    ]


def solved_sources(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the tables that the solvers write, which dbt sees as sources, by their names there."""
    return {
        identity: str(entry["identifier"])
        for identity, entry in manifest["sources"].items()
        if entry["schema"] == "solved"
    }


def kept_sources(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the tables that are written from state, or by solvers, as `staleness.Now` names them.

    A solver's table is named by its name, one of the ledger by schema and name.
    """
    ledger = {
        identity: f"{kept.SCHEMA}.{entry['identifier']}"
        for identity, entry in manifest["sources"].items()
        if entry["schema"] == kept.SCHEMA
    }
    return {**solved_sources(manifest), **ledger}


def updated_in_place(manifest: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the tables (schema, name) of the models that build only what changed, by node."""
    return {
        identity: (node["schema"], node["alias"])
        for identity, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "incremental"
    }


def raw_table(manifest: Mapping[str, Any], identity: str) -> tuple[str, str] | None:
    """Return the raw table (source, entity) that a node of the graph is, None for all others."""
    entry = manifest["sources"].get(identity)
    if entry is None or not entry["schema"].startswith(RAW_PREFIX):
        return None
    return entry["schema"].removeprefix(RAW_PREFIX), entry["identifier"]


def upstream(graph: Mapping[str, Sequence[str]], identity: str) -> set[str]:
    """Return all that a node is made from, directly or not."""
    seen: set[str] = set()
    waiting = [identity]
    while waiting:
        for parent in graph.get(waiting.pop(), ()):
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return seen


def without_result(
    manifest: Mapping[str, Any], nodes: Collection[str], results: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return the names of the nodes that a dbt call was asked for and did not come to."""
    ended = {result["unique_id"] for result in results if result["status"] != "skipped"}
    asked = {
        node: document
        for node in set(nodes) - ended
        if (document := manifest["nodes"].get(node))
        and document["resource_type"] in {"model", "seed", "test"}
        and document["config"].get("materialized") != "ephemeral"
    }
    return sorted(document["name"] for document in asked.values())


def failed_tests(
    manifest: Mapping[str, Any], results: Sequence[Mapping[str, Any]]
) -> list[FailedTest]:
    """Return what failed in a dbt call, tests and models, errors before failures."""
    failed = [result for result in results if result["status"] in {"error", "fail"}]
    return [
        _failed_test(manifest["nodes"], result)
        for result in sorted(failed, key=lambda r: (r["status"], r["unique_id"]))
    ]


def _failed_test(nodes: Mapping[str, Any], result: Mapping[str, Any]) -> FailedTest:
    node: Mapping[str, Any] = nodes.get(result["unique_id"], {})
    message = " ".join(str(result.get("message") or "").split())
    name = str(node.get("name") or result["unique_id"])
    if result["status"] == "error" or node.get("resource_type") != "test":
        return FailedTest(name, message, None, None, None)
    model: Mapping[str, Any] = nodes.get(node.get("attached_node") or "", {})
    return FailedTest(
        name,
        f"{result.get('failures')} rows failed",
        (node["schema"], node["alias"]),
        (model["schema"], model["alias"]) if model else None,
        node.get("column_name"),
    )
