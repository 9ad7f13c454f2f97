"""Bring the tables of a relational source and cell into raw, all under one snapshot."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from extractors.errors import SourceError
from extractors.package import Manifest, package_directory
from extractors.relational.failures import RecoveryConflictError
from extractors.relational.postgres import Snapshot, TableSpec
from orchestration import progress
from warehouse.config.sources import PostgresSource
from warehouse.engines.duckdb_raw import schema_of
from warehouse.load import certificates, positions
from warehouse.load.package import LoadRecord
from warehouse.load.replay import load_or_reject
from warehouse.reconcile.certificate import Certificate
from warehouse.reconcile.certify import certify

if TYPE_CHECKING:
    from orchestration.pipeline import Pipeline

# Each table is read by two connections of its own; more tables at once only share the wire.
TABLES_AT_ONCE = 2

# Seconds before a read that a replica cancelled begins again; then its error ends the run.
WAITS = (1, 10)


def ingest(
    pipeline: "Pipeline", source: str, cell: str, tables: Sequence[str]
) -> Iterator[tuple[Manifest, LoadRecord, Certificate]]:
    """Extract all tables under one snapshot, then load and certify each against it.

    Where a replica cancels that to replay what the primary did, it begins again under a new
    snapshot: what had landed is loaded, and those tables go on from there.
    """
    done: list[tuple[Manifest, LoadRecord, Certificate]] = []
    for wait in (*WAITS, None):
        done.clear()
        try:
            for result in _ingest(pipeline, source, cell, tables):
                done.append(result)  # noqa: PERF402  those before an error count
        except _SnapshotLostError as error:
            if wait is None:
                yield from done
                raise
            again = f"the replica cancelled the read; again in {wait} s ({error})"
            pipeline.tell(progress.Event("wait", source, again))
            time.sleep(wait)
        except Exception:
            yield from done
            raise
        else:
            yield from done
            break
    for _, _, certificate in done:
        if certificate.status != "passed":
            certificates.require_passed(certificate)


class _SnapshotLostError(SourceError):
    """The replica ended the snapshot, or a read under it."""


def _ingest(
    pipeline: "Pipeline", source: str, cell: str, tables: Sequence[str]
) -> Iterator[tuple[Manifest, LoadRecord, Certificate]]:
    # A try before this one may have read some tables before another one failed.
    with pipeline.database() as connection:
        pipeline.catch_up(connection, [(source, cell, table) for table in tables])
    with _snapshot(pipeline, source, cell) as snapshot:
        specs = {spec.name: spec for spec in _specs(pipeline, source, tables)}
        manifests = _extract(pipeline, snapshot, list(specs.values()))
        for manifest in sorted(manifests, key=lambda manifest: manifest.load_id):
            with pipeline.database() as connection:
                record, certificate = _load(
                    pipeline, connection, snapshot, specs[manifest.table], manifest
                )
            pipeline.tell(progress.loaded(record, certificate.status))
            yield manifest, record, certificate


def extract(pipeline: "Pipeline", source: str, cell: str, tables: Sequence[str]) -> list[Manifest]:
    """Write the tables' load packages under one snapshot."""
    with _snapshot(pipeline, source, cell) as snapshot:
        return _extract(pipeline, snapshot, _specs(pipeline, source, tables))


@contextmanager
def _snapshot(pipeline: "Pipeline", source: str, cell: str) -> Iterator[Snapshot]:
    configured = pipeline.settings.sources[source]
    assert isinstance(configured, PostgresSource)
    with Snapshot(
        configured.dsns[cell].get_secret_value(),
        source=source,
        cell=cell,
        now=pipeline.settings.now,
        heartbeat=configured.heartbeat,
    ) as snapshot:
        try:
            yield snapshot
        except SourceError as error:
            # Tables read at the same time fail in other words once the snapshot is gone.
            is_conflict = isinstance(error, RecoveryConflictError)
            if snapshot.facts.in_recovery and (is_conflict or snapshot.is_lost):
                raise _SnapshotLostError(str(error)) from error
            raise


def _specs(pipeline: "Pipeline", source: str, tables: Sequence[str]) -> list[TableSpec]:
    settings = pipeline.settings
    configured = settings.sources[source]
    assert isinstance(configured, PostgresSource)
    keys = {name: key.get_secret_value() for name, key in settings.pii_keys.items()}
    specs: list[TableSpec] = []
    with pipeline.database() as connection:
        for table in tables:
            recorded = positions.recorded_columns(connection, source, configured.entities(table)[0])
            entry = configured.tables[table]
            specs.append(
                TableSpec(
                    table,
                    tuple(entry.key),
                    mode=entry.mode,
                    deletes=entry.deletes,
                    pii=settings.pii.get(f"{source}.{table}", {}),
                    pii_keys=keys,
                    types={column["name"]: column["type"] for column in recorded},
                    names={column["source_name"]: column["name"] for column in recorded},
                )
            )
    return specs


def _extract(
    pipeline: "Pipeline", snapshot: Snapshot, specs: Sequence[TableSpec]
) -> list[Manifest]:
    source, cell = snapshot.source, snapshot.cell
    with pipeline.database() as connection:
        since = {
            spec.name: None
            if f"{source}.{spec.name}" in pipeline.options.full_refresh
            else positions.position(connection, source, cell, spec.name)
            for spec in specs
        }

    def one(spec: TableSpec) -> Manifest:
        subject, rows = f"{source}.{spec.name}", [0]

        def count(part: int) -> None:
            rows[0] += part
            pipeline.tell(progress.Event("extract", subject, rows=rows[0]))

        pipeline.tell(progress.Event("extract", subject))
        manifest = snapshot.extract(
            spec, pipeline.settings.landing, since[spec.name], progress=count
        )
        pipeline.tell(progress.extracted(manifest))
        return manifest

    with ThreadPoolExecutor(TABLES_AT_ONCE) as pool:
        return list(pool.map(one, specs))


def _load(
    pipeline: "Pipeline",
    connection: duckdb.DuckDBPyConnection,
    snapshot: Snapshot,
    spec: TableSpec,
    manifest: Manifest,
) -> tuple[LoadRecord, Certificate]:
    settings = pipeline.settings

    def load(package: Manifest) -> LoadRecord:
        return load_or_reject(
            connection,
            settings.landing,
            package,
            package_directory(settings.landing, package),
            run_id=pipeline.run_id,
            rules=pipeline.rules,
        )

    record = load(manifest)
    repairs: list[LoadRecord] = []
    certificate = certify(
        connection,
        (schema_of(manifest.source), manifest.entity),
        snapshot.reader(spec),
        deletes=spec.deletes,
        landing=settings.landing,
        load=lambda package: repairs.append(load(package)),
        now=lambda: datetime.now(UTC),
    )
    certificates.record_certificate(connection, certificate, pipeline.run_id)
    for repair in repairs:
        record = replace(
            record,
            inserted_rows=record.inserted_rows + repair.inserted_rows,
            updated_rows=record.updated_rows + repair.updated_rows,
            deleted_rows=record.deleted_rows + repair.deleted_rows,
        )
    return record, certificate
