"""Everything that must be the same after a fault as without it, as plain values to compare."""

import json
from pathlib import Path
from typing import Any

import duckdb

from extractors.package import MANIFEST
from warehouse.engines import duckdb_raw, duckdb_snapshot
from warehouse.publish import versions
from warehouse.state import segments

# What tells one load or run from another, and so differs.
_OWN = {"_load_id", "_loaded_at", "_source_position"}


def contents(home: Path) -> dict[str, Any]:
    """Return what a warehouse holds, without the ids and times of its runs."""
    with duckdb.connect(str(home / "build.duckdb"), read_only=True) as build:
        build.execute("SET TimeZone = 'UTC'")
        return {
            "raw": _raw(build),
            "loads": _rows(
                build,
                "SELECT source, entity, read_rows, inserted_rows, updated_rows, deleted_rows,"
                " quarantined_rows FROM meta.loads"
                " WHERE inserted_rows + updated_rows + deleted_rows + quarantined_rows > 0",
            ),
            "loads not in landing": _not_landed(build, home),
            "loads twice": _rows(
                build, "SELECT load_id FROM meta.loads GROUP BY ALL HAVING count(*) > 1"
            ),
            "positions": _rows(
                build,
                "SELECT source, cell, entity, complete_up_to, load_id IN"
                " (SELECT load_id FROM meta.loads) FROM meta.positions",
            ),
            "quarantine": _rows(
                build,
                "SELECT source, entity, reason, field, row_key, payload, rows, decision"
                " FROM meta.quarantine",
            ),
            "not in state": _not_in_state(build, home),
            "state": _state(home),
            "published": _published(home),
            "runs going on": _rows(build, "FROM meta.runs WHERE status = 'running'"),
            "left over": left_over(home),
        }


def left_over(home: Path) -> list[str]:
    """Return the temporary files and torn packages that nobody needs any more."""
    apart = {home / "dagster", home / "dbt", home / "logs"}
    temporary = [path for path in home.rglob(".*") if path.name != ".lock"]
    torn = [p for p in home.glob("landing/*/*/*/*") if not (p / MANIFEST).is_file()]
    left = {*temporary, *torn, *home.glob("*.tmp*")}
    return sorted(str(p.relative_to(home)) for p in left if not apart & {*p.parents})


def _rows(connection: duckdb.DuckDBPyConnection, statement: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"{statement} ORDER BY ALL").fetchall()


def _raw(build: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every raw table: live ones, tombstones and history."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table in duckdb_snapshot.tables(build, ["raw_s"])["raw_s"]:
        columns = [c for c in duckdb_raw.columns_of(build, "raw_s", table) if c not in _OWN]
        shown = ", ".join(f"{c} IS NULL" if c == "_deleted_at" else c for c in columns)
        found[table] = _rows(build, f"SELECT {shown} FROM raw_s.{table}")
    return found


def _not_landed(build: duckdb.DuckDBPyConnection, home: Path) -> list[str]:
    """Return the loads whose package is gone: raw could not be made again from landing."""
    landed = {path.parent.name for path in home.glob(f"landing/*/*/*/*/{MANIFEST}")}
    loaded = {str(row[0]) for row in _rows(build, "SELECT load_id FROM meta.loads")}
    return sorted(loaded - landed)


def _not_in_state(build: duckdb.DuckDBPyConnection, home: Path) -> list[Any]:
    """Return the certificates that state lacks, holds twice or made up, and what waits for it."""
    ids = [record["id"] for record in segments.records(home / "state") if "id" in record]
    made = _rows(build, "SELECT 'certificate:' || certificate_id FROM meta.certificates")
    waiting = _rows(build, "FROM meta.outbox")
    certificates = {i for i in ids if i.startswith("certificate:")}
    return [
        *({row[0] for row in made} ^ certificates),
        *(i for i in {*ids} if ids.count(i) > 1),
        *waiting,
    ]


def _state(home: Path) -> list[Any]:
    """Return what state says happened: kinds and subjects, the chain being checked by the way."""
    found = {
        json.dumps(
            [
                record["kind"],
                record.get("as_of"),
                record.get("version"),
                record.get("tables"),
                record.get("entity"),
                record.get("columns"),
                record.get("certificate", {}).get("table_name"),
                record.get("certificate", {}).get("status"),
            ]
        )
        for record in segments.records(home / "state")
    }
    published = segments.records(home / "state", "publication")
    return [sorted(found), len(published)]


def seen_by_readers(home: Path) -> tuple[str | None, bool]:
    """Return the version that readers see, and whether its tables are those that were recorded."""
    current = versions.current_version(home / "published")
    if current is None:
        return None, False
    recorded = {
        f"{table['schema']}.{table['table']}": (table["rows"], table["content_hash"])
        for record in segments.records(home / "state", "publication")
        if record["version"] == current
        for table in record["tables"]
    }
    return current, _hashes(versions.version_path(home / "published", current)) == recorded


def _hashes(path: Path) -> dict[str, tuple[int, str]]:
    with duckdb.connect(str(path), read_only=True) as file:
        return {
            f"{schema}.{table}": duckdb_snapshot.content_hash(file, schema, table)
            for schema, names in duckdb_snapshot.tables(file, ["core", "campaign"]).items()
            for table in names
        }


def _published(home: Path) -> dict[str, Any]:
    """Return the tables that readers see by content hash, and the files that are there."""
    folder = home / "published"
    current = versions.current_version(folder)
    assert current is not None
    hashes = _hashes(versions.version_path(folder, current))
    return {"current": current, "hashes": hashes, "files": sorted(p.name for p in folder.iterdir())}
