"""Write an audited build as the next version and let readers see it."""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from extractors.package import fsync_directory, utc_text
from warehouse.config import Settings
from warehouse.engines import duckdb_snapshot
from warehouse.load import outbox
from warehouse.publish import freshness, targets, versions
from warehouse.publish.meta_tables import META_TABLES
from warehouse.state import segments
from warehouse.who import who

PUBLIC_SCHEMAS = ("core", "campaign", "affiliate", "recommendation")

Table = tuple[str, str]  # schema, name
Reference = tuple[str, Table, str]  # column, the table whose rows it names, the column there


def publish(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    run_id: str,
    as_of: datetime,
    fingerprint: str,
    next_due_at: datetime | None,
    sources_of: Mapping[Table, Sequence[tuple[str, str]]],
    unmatched: Mapping[tuple[str, str, str], int],
    keys: Mapping[Table, Sequence[str]] | None = None,
    references: Mapping[Table, Sequence[Reference]] | None = None,
    known_hashes: Mapping[Table, tuple[int, str]] | None = None,
    also: Sequence[Mapping[str, Any]] = (),
) -> versions.Version:
    """Copy the public schemas into a new version, record it in state, and switch to it.

    The caller has audited the build and holds the writer lease. `sources_of` maps a mart to the raw
    tables (source, entity) it is made from, `unmatched` a raw table and cell (source, entity, cell)
    to its rows that name what another source does not hold, `keys` a mart to its key's columns,
    `references` a mart to the columns that name rows of other marts, `known_hashes` a table that
    did not change since it was hashed to its rows and content hash. `also` are records of what
    becomes final with this version: they are in the same segment as its own. A version that a hold
    keeps from view is recorded all the same.
    """
    version = f"v{_next_number(versions.newest_version(settings)):06d}"
    record = {
        "kind": "publication",
        **write(
            connection,
            settings,
            version,
            versions.publications(settings),
            as_of=as_of,
            sources_of=sources_of,
            unmatched=unmatched,
            keys=keys,
            references=references,
            known_hashes=known_hashes,
        ),
        "run_id": run_id,
        "fingerprint": fingerprint,
        "next_due_at": utc_text(next_due_at) if next_due_at else None,
    }
    # Before the record: a kill from here on leaves a switch that the next command completes.
    record["prepared"] = targets.prepare(
        versions.targets(settings), record, versions.problems(settings)
    )
    named = {"version": version, "published_at": record["published_at"]}
    with segments.exclusive(settings.state_directory):
        outbox.flush(
            connection, settings.state_directory, [record, *({**one, **named} for one in also)]
        )
        versions.complete_switch(settings)
        versions.remove_old(settings)
    versions.collect(settings)
    return next(v for v in versions.versions(settings) if v.version == version)


def write(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    version: str,
    earlier: Iterable[Mapping[str, Any]],
    *,
    as_of: datetime,
    sources_of: Mapping[Table, Sequence[tuple[str, str]]],
    unmatched: Mapping[tuple[str, str, str], int],
    keys: Mapping[Table, Sequence[str]] | None = None,
    references: Mapping[Table, Sequence[Reference]] | None = None,
    known_hashes: Mapping[Table, tuple[int, str]] | None = None,
) -> dict[str, Any]:
    """Write the durable file of a version, and return what its record says of it.

    Nobody sees it before it is recorded. `earlier` are the records of the publications before it,
    newest first.
    """
    published = settings.published_directory
    published.mkdir(parents=True, exist_ok=True)
    selected = duckdb_snapshot.tables(connection, PUBLIC_SCHEMAS)
    known = known_hashes or {}
    hashed = {
        table: known.get(table) or duckdb_snapshot.content_hash(connection, *table)
        for table in ((schema, name) for schema, names in selected.items() for name in names)
    }
    published_at = utc_text(datetime.now(UTC))
    _write_publications(connection, earlier, version)
    _write_keys(connection, keys or {})
    _write_relationships(connection, references or {})
    freshness.write(connection, sources_of, unmatched, as_of)
    duckdb_snapshot.describe(connection, "meta", META_TABLES)
    temporary = published / f".{version}.{os.getpid()}.tmp"
    copied = duckdb_snapshot.copy_public(
        connection, temporary, {**selected, "meta": list(META_TABLES)}
    )
    built = {table: rows for table, (rows, _) in hashed.items()}
    duckdb_snapshot.check_copy(temporary, {**copied, **built})
    _make_durable(temporary, versions.version_path(published, version))
    return {
        "version": version,
        "as_of": utc_text(as_of),
        "published_at": published_at,
        "published_by": who(),
        "reporting_currency": settings.warehouse.reporting_currency,
        "reporting_time_zone": settings.warehouse.reporting_time_zone,
        "complete_up_to": _complete_up_to(connection),
        "marts": freshness.marts(connection),
        "tables": [
            {"schema": schema, "table": name, "rows": rows, "content_hash": digest}
            for (schema, name), (rows, digest) in hashed.items()
        ],
    }


def is_built(
    connection: duckdb.DuckDBPyConnection, settings: Settings, fingerprint: str, as_of: datetime
) -> bool:
    """Return whether the newest version holds what a build of this raw for `as_of` would.

    It does for any later as_of that no waiting row is due by. A build database that was made anew
    holds no marts and counts as not built, and so does a version whose file was removed.
    """
    newest = next(versions.publications(settings), None)
    if not newest or newest["fingerprint"] != fingerprint:
        return False
    due = newest["next_due_at"]
    if due and as_of >= datetime.fromisoformat(due):
        return False
    if as_of < datetime.fromisoformat(newest["as_of"]):
        return False
    if not versions.version_path(settings.published_directory, newest["version"]).is_file():
        return False
    return bool(duckdb_snapshot.tables(connection, PUBLIC_SCHEMAS))


def newest_as_of(settings: Settings) -> datetime | None:
    """Return the as_of of the newest version, None before the first."""
    newest = next(versions.publications(settings), None)
    return datetime.fromisoformat(newest["as_of"]) if newest else None


def _next_number(newest: str | None) -> int:
    """Return a number that no recorded version has; a killed publication's file is overwritten."""
    return int(newest[1:]) + 1 if newest else 1


def _make_durable(temporary: Path, path: Path) -> None:
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    fsync_directory(path.parent)


def _complete_up_to(connection: duckdb.DuckDBPyConnection) -> str | None:
    row = connection.execute("SELECT min(complete_up_to) FROM meta.positions").fetchone()
    return utc_text(row[0]) if row and row[0] else None


def _write_publications(
    connection: duckdb.DuckDBPyConnection, earlier: Iterable[Mapping[str, Any]], version: str
) -> None:
    """Write `meta.publications`: the versions before this one, as far as it lacks them."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS meta.publications (version VARCHAR, as_of TIMESTAMPTZ,"
        " published_at TIMESTAMPTZ, table_schema VARCHAR, table_name VARCHAR, row_count BIGINT,"
        " content_hash VARCHAR)"
    )
    # Of a state that was restored to an earlier time since.
    connection.execute("DELETE FROM meta.publications WHERE version >= ?", [version])
    last = connection.execute("SELECT max(version) FROM meta.publications").fetchone()
    rows: list[list[Any]] = []
    for record in earlier:
        if last == (record["version"],):
            break
        moments = (record["version"], record["as_of"], record["published_at"])
        rows.extend(
            [*moments, table["schema"], table["table"], table["rows"], table["content_hash"]]
            for table in record["tables"]
        )
    if rows:
        connection.executemany("INSERT INTO meta.publications VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _write_keys(connection: duckdb.DuckDBPyConnection, keys: Mapping[Table, Sequence[str]]) -> None:
    """Write `meta.keys`: the columns that tell a mart's rows apart."""
    connection.execute(
        "CREATE OR REPLACE TABLE meta.keys (table_schema VARCHAR, table_name VARCHAR,"
        " column_name VARCHAR, ordinal INTEGER)"
    )
    rows = [
        [*table, column, ordinal]
        for table, columns in sorted(keys.items())
        for ordinal, column in enumerate(columns, 1)
    ]
    if rows:
        connection.executemany("INSERT INTO meta.keys VALUES (?, ?, ?, ?)", rows)


def _write_relationships(
    connection: duckdb.DuckDBPyConnection, references: Mapping[Table, Sequence[Reference]]
) -> None:
    """Write `meta.relationships`: the columns of marts that name rows of other marts."""
    connection.execute(
        "CREATE OR REPLACE TABLE meta.relationships (table_schema VARCHAR, table_name VARCHAR,"
        " column_name VARCHAR, to_schema VARCHAR, to_table VARCHAR, to_column VARCHAR)"
    )
    rows = [
        [*table, column, *target, field]
        for table, found in sorted(references.items())
        for column, target, field in sorted(found)
    ]
    if rows:
        connection.executemany("INSERT INTO meta.relationships VALUES (?, ?, ?, ?, ?, ?)", rows)
