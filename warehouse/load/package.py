"""Load one package: rows, load record, position, quarantine and schema changes, or nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from extractors.errors import AuditError, SourceError
from extractors.package import Manifest, package_directory, verify
from warehouse.engines import duckdb_engine, duckdb_raw
from warehouse.load import quarantine, schema_changes


@dataclass(frozen=True, slots=True)
class LoadRules:
    """What the configuration says of loading.

    A load fails when a package's rejected rows exceed either limit. `history` names the raw tables
    (source, entity) whose every version is kept.
    """

    max_quarantined_share: float = 0.01
    max_quarantined_rows: int = 1000
    history: frozenset[tuple[str, str]] = frozenset()


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
    verify(directory, manifest)
    rules = rules or LoadRules()
    _refuse_over_limit(manifest, rules)
    with duckdb_engine.transaction(connection):
        record = _load(connection, directory, manifest, run_id)
        if (manifest.source, manifest.entity) in rules.history:
            duckdb_raw.keep_history(
                connection, manifest.source, manifest.entity, manifest.columns, record.load_id
            )
        return record


def _load(
    connection: duckdb.DuckDBPyConnection, directory: Path, manifest: Manifest, run_id: str
) -> LoadRecord:
    where = [manifest.source, manifest.cell, manifest.table, manifest.entity]
    standing = connection.execute(
        "SELECT position, source_position, load_id, changed_by FROM meta.positions"
        " WHERE source = ? AND cell = ? AND table_name = ? AND entity = ?",
        where,
    ).fetchone()
    _refuse_out_of_order(manifest, standing)
    loaded_at = datetime.now(UTC)
    position = max(manifest.source_position, standing[1] if standing else 0)
    changes = duckdb_raw.ensure_table(
        connection, manifest.source, manifest.entity, manifest.columns
    )
    parts = [directory / part.name for part in manifest.parts]
    has_deletes = duckdb_raw.tombstone_column(parts, connection)
    applied = duckdb_raw.apply_parts(
        connection,
        source=manifest.source,
        entity=manifest.entity,
        cell=manifest.cell,
        parts=parts,
        columns=manifest.columns,
        key=manifest.key,
        covers_all=manifest.mode == "full",
        has_deletes=has_deletes,
        load_id=manifest.load_id,
        loaded_at=loaded_at,
        source_position=position,
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
    schema_changes.record(connection, manifest, changes, loaded_at)
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


def position_text(position: dict[str, object]) -> str:
    """Return a position as the text that positions are compared by."""
    return json.dumps(position, sort_keys=True)


def _loaded(connection: duckdb.DuckDBPyConnection, load_id: str) -> LoadRecord | None:
    row = connection.execute(
        "SELECT load_id, source, cell, table_name, entity, mode, read_rows, loaded_rows,"
        " quarantined_rows, inserted_rows, updated_rows, deleted_rows"
        " FROM meta.loads WHERE load_id = ?",
        [load_id],
    ).fetchone()
    return LoadRecord(*row) if row else None


def _refuse_over_limit(manifest: Manifest, rules: LoadRules) -> None:
    read = manifest.rows + manifest.quarantined
    share, rows = rules.max_quarantined_share, rules.max_quarantined_rows
    if manifest.quarantined > rows or manifest.quarantined > share * read:
        raise AuditError(
            f"{manifest.source}.{manifest.entity}: {manifest.quarantined} of {read} rows do not"
            f" fit (package {manifest.load_id}, quarantine-*.parquet has the reasons); the limit"
            f" is {rows} rows or {share:.2%}; fix the source or raise the limit"
        )


def _refuse_out_of_order(manifest: Manifest, standing: Sequence[object] | None) -> None:
    if standing is None:
        if manifest.mode == "full":
            return
        raise SourceError(
            f"{manifest.source}.{manifest.entity}: package {manifest.load_id} continues a read"
            " that is not loaded; load the packages before it first"
        )
    position, _, load_id, _ = standing
    if manifest.load_id < str(load_id):
        raise SourceError(
            f"{manifest.source}.{manifest.entity}: package {manifest.load_id} is older than"
            f" {load_id}, which is loaded; nothing to do"
        )
    if manifest.mode != "full" and position_text(manifest.from_ or {}) != position:
        raise SourceError(
            f"{manifest.source}.{manifest.entity}: package {manifest.load_id} starts at"
            f" {position_text(manifest.from_ or {})}, the table stands at {position};"
            " load the packages between first"
        )
