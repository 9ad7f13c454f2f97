"""Bring raw up to what has landed: after a kill, or after the build database was deleted."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from pathlib import Path

import duckdb

from extractors.errors import AuditError, SourceError
from extractors.package import Manifest, packages, read_manifest, sweep, utc_text
from warehouse.engines import duckdb_engine, duckdb_raw
from warehouse.load import chains, compaction, package, schema_changes
from warehouse.state import segments

REJECTED = chains.REJECTED


def reject(directory: Path) -> Path:
    """Set a package aside that was refused for good, so that no later run meets it."""
    return directory.rename(directory.with_name(REJECTED + directory.name))


def catch_up(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    tables: Iterable[tuple[str, str, str]],
    *,
    run_id: str,
    rules: package.LoadRules,
    refresh: Collection[str] = (),
    loaded: Callable[[package.LoadRecord], None] | None = None,
) -> int:
    """Load every landed package that raw does not hold yet; return how many there were.

    `tables` are (source, cell, table). Folders without a manifest are swept first. What cannot be
    loaded ends the run, or is set aside for the tables in `refresh` (SOURCE.TABLE), which are read
    in full afterwards. A compacted package stands for those that it replaces. Only under the
    writer lease.
    """
    count = 0
    for source, cell, table in tables:
        sweep(landing, source, cell, table)
        known = _known(connection, source, cell, table)
        unknown = [d for d in packages(landing, source, cell, table) if d.name not in known]
        for directory in compaction.in_order(unknown):
            if directory.name in known:
                continue
            try:
                manifest = read_manifest(directory)
                if manifest.mode == chains.MODE:
                    compaction.take(connection, landing, manifest)
                    known = _known(connection, source, cell, table)
                    continue
                record = load_or_reject(
                    connection, landing, manifest, directory, run_id=run_id, rules=rules
                )
            except SourceError as error:
                if f"{source}.{table}" not in refresh:
                    again = f"`warehouse run --full-refresh {source}.{table}` reads it anew"
                    raise type(error)(f"{error}; {again}") from None
                if directory.is_dir():
                    reject(directory)
                continue
            count += 1
            if loaded:
                loaded(record)
    return count


def load_or_reject(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    manifest: Manifest,
    directory: Path,
    *,
    run_id: str,
    rules: package.LoadRules,
) -> package.LoadRecord:
    """Load a package; set it aside before the error is shown where no later run could load it.

    The quarantine limit or a type that raw cannot take refuses it; the next read replaces it.
    """
    try:
        return package.load_package(connection, landing, manifest, run_id=run_id, rules=rules)
    except (AuditError, duckdb_raw.TypeConflictError) as error:
        if isinstance(error, duckdb_raw.TypeConflictError):
            schema_changes.record_refusal(connection, manifest, error, rules.models_using)
        raise type(error)(f"{error} (kept in {reject(directory)})") from None


def _known(connection: duckdb.DuckDBPyConnection, source: str, cell: str, table: str) -> set[str]:
    """Return the packages whose content raw holds."""
    whole = "source = $source AND cell = $cell AND table_name = $table"
    rows = connection.execute(
        f"SELECT load_id FROM meta.loads WHERE {whole}"
        f" UNION ALL SELECT load_id FROM meta.compactions WHERE {whole}",
        {"source": source, "cell": cell, "table": table},
    ).fetchall()
    return {str(row[0]) for row in rows}


def restore_certificates(
    connection: duckdb.DuckDBPyConnection, state: Path, until: datetime | None = None
) -> None:
    """Fill an empty `meta.certificates` from state, with those checked by `until`."""
    if connection.execute("SELECT count(*) FROM meta.certificates").fetchone() != (0,):
        return
    with duckdb_engine.transaction(connection):  # all or none: what is not empty is not filled
        for record in segments.records(state, "certificate"):
            body = record["certificate"]
            if until and body["checked_at"] > utc_text(until):
                continue
            names = ", ".join(body)
            marks = ", ".join("?" for _ in body)
            values = list(body.values())
            connection.execute(f"INSERT INTO meta.certificates ({names}) VALUES ({marks})", values)
