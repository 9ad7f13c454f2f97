"""Load one package: rows, load record, position, quarantine and schema changes, or nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from extractors.package import Manifest, package_directory
from warehouse.engines import duckdb_engine, duckdb_raw
from warehouse.engines.duckdb_package import Stamp
from warehouse.engines.duckdb_parts import read_parts
from warehouse.load import admission, quarantine, schema_changes
from warehouse.load.admission import LoadRules, position_text


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """What loading one package did; `read_rows` = `loaded_rows` + `quarantined_rows`."""

    load_id: str
    source: str
    cell: str
    table: str
    entity: str
    mode: str
    read_rows: int
    loaded_rows: int
    quarantined_rows: int
    inserted_rows: int
    updated_rows: int
    deleted_rows: int

    @property
    def changed_rows(self) -> int:
        return self.inserted_rows + self.updated_rows + self.deleted_rows


def load_package(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    manifest: Manifest,
    *,
    run_id: str,
    rules: LoadRules | None = None,
) -> LoadRecord:
    """Load a package in one transaction; loading it again changes nothing.

    SourceError: a part is missing or changed, or the package does not continue the table's chain.
    AuditError: more rows were rejected than the limit allows.
    """
    known = _loaded(connection, manifest.load_id)
    if known:
        return known
    directory = package_directory(landing, manifest)
    admission.refuse_torn(directory, manifest)
    rules = rules or LoadRules()
    admission.refuse_over_limit(manifest, rules)
    with duckdb_engine.transaction(connection):
        return _load(connection, directory, manifest, run_id, rules)


def _load(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    manifest: Manifest,
    run_id: str,
    rules: LoadRules,
) -> LoadRecord:
    where = [manifest.source, manifest.cell, manifest.table, manifest.entity]
    standing = connection.execute(
        "SELECT position, source_position, load_id, changed_by FROM meta.positions"
        " WHERE source = ? AND cell = ? AND table_name = ? AND entity = ?",
        where,
    ).fetchone()
    admission.refuse_out_of_order(manifest, standing)
    incoming = read_parts(connection, directory, manifest)
    loaded_at = datetime.now(UTC)
    position = max(manifest.source_position, standing[1] if standing else 0)
    changes = duckdb_raw.ensure_table(
        connection, manifest.source, manifest.entity, manifest.columns
    )
    applied = duckdb_raw.apply_parts(
        connection,
        incoming,
        Stamp(manifest.cell, manifest.load_id, loaded_at, position),
        covers_all=manifest.mode == "full",
        history=(manifest.source, manifest.entity) in rules.history,
    )
    changed = applied.changed or changes or not standing
    connection.execute(
        "DELETE FROM meta.positions"
        " WHERE source = ? AND cell = ? AND table_name = ? AND entity = ?",
        where,
    )
    connection.execute(
        "INSERT INTO meta.positions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *where,
            position_text(manifest.to),
            position,
            manifest.complete_up_to,
            manifest.load_id,
            manifest.load_id if changed or not standing else standing[3],
        ],
    )
    schema_changes.record(connection, manifest, changes, rules.models_using)
    quarantine.record(connection, directory, manifest)
    record = LoadRecord(
        load_id=manifest.load_id,
        source=manifest.source,
        cell=manifest.cell,
        table=manifest.table,
        entity=manifest.entity,
        mode=manifest.mode,
        read_rows=manifest.rows + manifest.quarantined,
        loaded_rows=manifest.rows,
        quarantined_rows=manifest.quarantined,
        inserted_rows=applied.inserted,
        updated_rows=applied.updated,
        deleted_rows=applied.deleted,
    )
    connection.execute(
        "INSERT INTO meta.loads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            record.load_id,
            *where,
            record.mode,
            record.read_rows,
            record.loaded_rows,
            record.quarantined_rows,
            record.inserted_rows,
            record.updated_rows,
            record.deleted_rows,
            position,
            position_text(manifest.from_) if manifest.from_ else None,
            position_text(manifest.to),
            manifest.complete_up_to,
            loaded_at,
            run_id,
        ],
    )
    return record


def _loaded(connection: duckdb.DuckDBPyConnection, load_id: str) -> LoadRecord | None:
    row = connection.execute(
        "SELECT load_id, source, cell, table_name, entity, mode, read_rows, loaded_rows,"
        " quarantined_rows, inserted_rows, updated_rows, deleted_rows"
        " FROM meta.loads WHERE load_id = ?",
        [load_id],
    ).fetchone()
    return LoadRecord(*row) if row else None
