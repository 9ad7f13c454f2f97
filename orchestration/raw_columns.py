"""Which staging models use a column of raw, and what a change of one has to do with a failure."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import duckdb

from extractors.naming import quoted
from orchestration import dbt, lineage
from warehouse.config import Settings
from warehouse.engines import duckdb_raw
from warehouse.load import schema_changes
from warehouse.load.schema_changes import Change

# What DuckDB says of a column that is not there.
_NOT_FOUND = re.compile(
    r'(?:Referenced column "([^"]+)" not found|does not have a column named "([^"]+)")'
)


@dataclass(frozen=True)
class Uses:
    """What the staging models of a project (those in a folder `staging`) take from raw.

    A model uses a column of a raw table upstream, through staging only, when its code holds the
    word: the word may mean something else there.
    """

    manifest: Mapping[str, Any]
    graph: Mapping[str, Sequence[str]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "graph", lineage.parents(self.manifest))

    @cached_property
    def staging(self) -> dict[str, tuple[set[tuple[str, str]], set[str]]]:
        """Return for each staging model (its node) the raw tables upstream and its words."""
        nodes = self.manifest["nodes"]
        return {
            identity: (
                {
                    table
                    for parent in lineage.upstream(self.graph, identity)
                    if (table := lineage.raw_table(self.manifest, parent))
                },
                set(re.findall(r"\w+", node["raw_code"])),
            )
            for identity, node in nodes.items()
            if node["resource_type"] == "model" and "staging" in node["fqn"]
        }

    def nodes(self, source: str, entity: str, column: str) -> set[str]:
        """Return the staging models that use a column of a raw table, as nodes."""
        return {
            identity
            for identity, (tables, words) in self.staging.items()
            if (source, entity) in tables and column in words
        }

    def models(self, source: str, entity: str, column: str) -> list[str]:
        """Return the names of the staging models that use a column of a raw table."""
        nodes = self.manifest["nodes"]
        return sorted(nodes[node]["name"] for node in self.nodes(source, entity, column))


def models_using(settings: Settings) -> Callable[[str, str, str], Sequence[str] | None]:
    """Return a function that names the models of a column; None where no run parsed the project.

    The manifest is read at the first change of a column, and dbt is never started for it.
    """
    known: list[Uses] = []

    def models(source: str, entity: str, column: str) -> Sequence[str] | None:
        path = dbt.manifest_file(settings)
        if not known and path.is_file():
            known.append(Uses(json.loads(path.read_text(encoding="utf-8"))))
        return known[0].models(source, entity, column) if known else None

    return models


def explain(
    connection: duckdb.DuckDBPyConnection,
    manifest: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
) -> list[str]:
    """Return a line for each changed or missing column of raw that a failure may come from.

    A change counts until a run succeeds, where the failed node or what it reads is a staging model
    that uses the column.
    """
    uses = Uses(manifest)
    changes = schema_changes.since_last_success(connection)
    lines: dict[str, None] = {}
    for result in results:
        if result["status"] not in {"error", "fail"}:
            continue
        node = manifest["nodes"].get(result["unique_id"], {})
        seen = {result["unique_id"], *lineage.upstream(uses.graph, result["unique_id"])}
        for change in changes:
            for user in sorted(seen & uses.nodes(change.source, change.entity, change.column)):
                lines[_line(manifest["nodes"][user], change)] = None
        tables = {table for user in seen & uses.staging.keys() for table in uses.staging[user][0]}
        if node and "staging" in node["fqn"]:
            lines |= dict.fromkeys(_missing(connection, node, tables, str(result.get("message"))))
    return list(lines)


def _line(node: Mapping[str, Any], change: Change) -> str:
    raw = f"raw_{change.source}.{change.entity}.{change.column}"
    source = f"column {change.source_name} of {change.source}.{change.table}"
    path = node["original_file_path"]
    if change.change == "removed":
        what = f"was {change.old_type} and is NULL in what was read since load {change.load_id}"
        todo = f"the source has no {source} any more; add it there again, or rewrite {path}"
    elif change.change == "refused":
        what = f"is {change.old_type}; load {change.load_id} brought {change.new_type}"
        todo = f"{source}: take the change back at the source"
    else:
        what = f"was {change.old_type} and is {change.new_type} since load {change.load_id}"
        todo = f"{source}; cast it in {path}, or take the change back at the source"
    return f"{node['name']}: {raw} {what} ({todo})"


def _missing(
    connection: duckdb.DuckDBPyConnection,
    node: Mapping[str, Any],
    tables: set[tuple[str, str]],
    message: str,
) -> Iterator[str]:
    """Yield a line for the column that a failed model takes and no raw table behind it has."""
    found = _NOT_FOUND.search(message)
    column = (found[1] or found[2]) if found else None
    if column is None or not tables:
        return
    has = {
        name
        for source, entity in tables
        for name in duckdb_raw.columns_of(connection, duckdb_raw.schema_of(source), entity)
    }
    if column not in has:
        names = ", ".join(sorted(quoted(f"raw_{s}", e).replace('"', "") for s, e in tables))
        yield (
            f"{node['name']}: {names} has no column {column}; add it at the source, name it under"
            f" `columns:` where it is DynamoDB, or rewrite {node['original_file_path']}"
        )
