"""Build the catalogue: dbt's documentation page on the tables of one published version.

`dbt docs generate` would describe the build database, which only the holder of the writer lease may
open, with all its inner tables. What readers may use is in the published file: the catalogue lists
exactly that, and shows the models, sources and exposures around it as lineage. Only names, types,
descriptions and the project's SQL get in: no row of any table does.
"""

import html
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from extractors.package import write_atomically
from orchestration import dbt
from warehouse.config import Settings
from warehouse.publish import reader
from warehouse.publish.publication import PUBLIC_SCHEMAS

# How the page tells what readers can ask from what only explains it.
PUBLISHED, INNER = "published", "not published"
# dbt's own page, which takes the place of its file when it is opened without a server.
INLINE = {"manifest": '"MANIFEST.JSON INLINE DATA"', "catalog": '"CATALOG.JSON INLINE DATA"'}
# What tells of the machine that built it, and what no reader of a catalogue asks.
LEFT_OUT = frozenset(
    (
        *("root_path", "build_path", "compiled_path", "compiled_code", "created_at", "checksum"),
        *("unrendered_config", "patch_path"),
    )
)
KINDS = frozenset(("model", "seed", "test"))
OVERVIEW = """\
# The catalogue of version {version}

Tables under **Database → {published}** are those that readers see: in the DuckDB file, by
`warehouse.open()`, by `warehouse sql`, and in PostgreSQL. All else is **{inner}**: it shows how
they are made. The button at the lower right opens the graph: from the stores to a table, and on to
who uses it.

| | |
|---|---|
| version | {version} |
| complete up to | {complete} |
| tables | {tables} |
"""

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A folder with `index.html`, which holds all it shows, `manifest.json` and `catalog.json`."""

    folder: Path
    version: str
    tables: int


def build(settings: Settings, folder: Path, version: str | None = None) -> Catalogue:
    """Write the catalogue of a version, the current one by default, into `folder`.

    ConfigError: nothing published yet, or no such version.
    """
    with reader.open_published(version, settings.path) as published:
        tables = _tables(published)
        name, complete = published.version, published.complete_up_to
    manifest = _manifest(json.loads(dbt.manifest_path(settings).read_text("utf-8")), tables)
    overview = OVERVIEW.format(
        version=name,
        published=PUBLISHED,
        inner=INNER,
        complete=complete.isoformat() if complete else "(not known)",
        tables=len(tables),
    )
    _describe_project(manifest, overview)
    catalog = _catalog(manifest, tables)
    folder.mkdir(parents=True, exist_ok=True)
    # The page last: a folder without it is not a catalogue.
    for kind, document in (("manifest", manifest), ("catalog", catalog)):
        write_atomically(folder / f"{kind}.json", json.dumps(document))
    write_atomically(folder / "index.html", _page(manifest, catalog, name))
    return Catalogue(folder, name, len(tables))


def _tables(published: reader.Published) -> dict[tuple[str, str], Node]:
    """Return what catalog.json says of each table (schema, name) of a version."""
    found: dict[tuple[str, str], Node] = {}
    for schema, name, comment in published.execute(
        "SELECT schema_name, table_name, comment FROM duckdb_tables() ORDER BY ALL"
    ).fetchall():
        about = {"type": "BASE TABLE", "schema": schema, "name": name, "database": PUBLISHED}
        found[schema, name] = {
            "metadata": {**about, "comment": comment, "owner": None},
            "columns": {},
            "stats": {
                "has_stats": {
                    "id": "has_stats",
                    "label": "Has Stats?",
                    "value": False,
                    "include": False,
                    "description": "Figures of the table",
                }
            },
        }
    for schema, name, index, column, kind, comment in published.execute(
        "SELECT schema_name, table_name, column_index, column_name, data_type, comment"
        " FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
    ).fetchall():
        found[schema, name]["columns"][column] = {
            "type": kind,
            "index": index,
            "name": column,
            "comment": comment,
        }
    return found


def _manifest(whole: Mapping[str, Any], tables: Mapping[tuple[str, str], Node]) -> Node:
    """Return of dbt's manifest what leads to the published tables and to their users."""
    project = whole["metadata"]["project_name"]
    nodes = {
        identity: node
        for identity, node in whole["nodes"].items()
        if node["resource_type"] in KINDS and _is_shown(node, whole)
    }
    macros = {
        identity: macro
        for identity, macro in whole["macros"].items()
        if macro["package_name"] == project
    }
    sources = dict(whole["sources"])
    made = {(node["schema"], node["alias"]) for node in nodes.values()}
    for (schema, name), table in tables.items():
        if (schema, name) not in made:
            source = _source(project, schema, name, table)
            sources[source["unique_id"]] = source
    users = ("exposures", "metrics", "semantic_models", "saved_queries")
    parts = {
        "nodes": nodes,
        "sources": sources,
        "macros": macros,
        **{kind: whole[kind] for kind in users},
    }
    kept = {identity for entries in parts.values() for identity in entries}
    return {
        # false: else the page asks a server of dbt's for a script
        "metadata": {
            **{key: whole["metadata"][key] for key in ("dbt_schema_version", "dbt_version")},
            **{key: whole["metadata"][key] for key in ("project_name", "adapter_type")},
            "generated_at": whole["metadata"]["generated_at"],
            "quoting": {},
            "send_anonymous_usage_stats": False,
        },
        **{
            kind: {name: _entry(entry, kept, tables) for name, entry in entries.items()}
            for kind, entries in parts.items()
        },
        **{
            graph: {
                name: [other for other in whole[graph].get(name, ()) if other in kept]
                for name in sorted(kept - macros.keys())
            }
            for graph in ("parent_map", "child_map")
        },
        **{kind: {} for kind in ("docs", "groups", "selectors", "disabled", "group_map")},
        **{kind: {} for kind in ("unit_tests", "functions")},
    }


def _is_shown(node: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    """Tell whether a node is a model, a seed, or a test of a published table."""
    if node["resource_type"] != "test":
        return True
    tested = whole["nodes"].get(node.get("attached_node"))
    return tested is not None and tested["schema"] in PUBLIC_SCHEMAS


def _entry(
    entry: Mapping[str, Any], kept: Collection[str], tables: Mapping[tuple[str, str], Node]
) -> Node:
    """Return an entry of the manifest without what is of this machine or was left out."""
    shown = {key: value for key, value in entry.items() if key not in LEFT_OUT}
    if "schema" in entry and "database" in entry:
        table = (entry["schema"], entry.get("identifier") or entry.get("alias"))
        shown["database"] = PUBLISHED if table in tables else INNER
        shown["relation_name"] = ".".join(filter(None, table))
    if "meta" in entry:
        shown["meta"] = {key: value for key, value in entry["meta"].items() if key != "dagster"}
    if "depends_on" in entry:
        shown["depends_on"] = {
            kind: [name for name in names if name in kept]
            for kind, names in entry["depends_on"].items()
        }
    return shown


def _source(project: str, schema: str, name: str, table: Node) -> Node:
    """Return a published table that no model makes, as dbt describes a source."""
    columns = {
        column["name"]: {
            "name": column["name"],
            "description": column["comment"] or "",
            "data_type": column["type"],
            "meta": {},
            "tags": [],
        }
        for column in table["columns"].values()
    }
    return {
        "database": PUBLISHED,
        "schema": schema,
        "name": name,
        "identifier": name,
        "resource_type": "source",
        "package_name": project,
        "source_name": schema,
        "unique_id": f"source.{project}.{schema}.{name}",
        "fqn": [project, schema, name],
        "path": "",
        "original_file_path": "",
        "loader": "",
        "source_description": "",
        "description": table["metadata"]["comment"] or "",
        "columns": columns,
        "meta": {},
        "tags": [],
        "config": {"enabled": True},
        "freshness": None,
        "docs": {"show": True},
    }


def _describe_project(manifest: Node, overview: str) -> None:
    """Write the page that the catalogue opens with."""
    project = manifest["metadata"]["project_name"]
    identity = f"doc.{project}.__overview__"
    manifest["docs"][identity] = {
        "unique_id": identity,
        "name": "__overview__",
        "package_name": project,
        "resource_type": "doc",
        "path": "",
        "original_file_path": "",
        "block_contents": overview,
    }


def _catalog(manifest: Node, tables: Mapping[tuple[str, str], Node]) -> Node:
    """Return catalog.json: the published tables by the node or source that each is."""
    catalog: Node = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json",
            **{key: manifest["metadata"][key] for key in ("dbt_version", "generated_at")},
            "env": {},
        },
        "nodes": {},
        "sources": {},
        "errors": None,
    }
    for kind in ("nodes", "sources"):
        for identity, entry in manifest[kind].items():
            table = tables.get((entry["schema"], entry.get("identifier") or entry.get("alias")))
            if table and entry["resource_type"] != "test":
                catalog[kind][identity] = {**table, "unique_id": identity}
    return catalog


def _page(manifest: Node, catalog: Node, version: str) -> str:
    page = resources.files("dbt").joinpath("task", "docs", "index.html").read_text("utf-8")
    for kind, document in (("manifest", manifest), ("catalog", catalog)):
        # a description may hold `</script>`, or a comment's start, which would end the page's own
        data = json.dumps(document).replace("<", "\\u003c")
        page = page.replace(INLINE[kind], data)
    return page.replace(
        "<title>dbt Docs</title>", f"<title>Catalogue {html.escape(version)}</title>"
    )
