"""Bring scanned DynamoDB tables into raw."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from extractors.dynamodb.budget import Budget, units_per_second
from extractors.dynamodb.client import dynamodb_client
from extractors.dynamodb.describe import inspect
from extractors.dynamodb.replay import Standing, replay_items
from extractors.dynamodb.route import Route
from extractors.dynamodb.scan import scan_table
from extractors.dynamodb.write import Rejection
from extractors.package import Column, Manifest, package_directory
from orchestration import progress
from warehouse.config import Settings
from warehouse.config.sources import DynamodbSource, DynamodbTable
from warehouse.load import certificates, positions
from warehouse.load.package import LoadRecord
from warehouse.load.replay import load_or_reject
from warehouse.reconcile.certificate import Certificate

if TYPE_CHECKING:
    from orchestration.pipeline import Pipeline


def ingest(
    pipeline: "Pipeline", source: str, cell: str, tables: Sequence[str]
) -> Iterator[tuple[Manifest, LoadRecord, Certificate]]:
    """Scan, load and certify one table after the other; a scan is parallel in itself."""
    for table in tables:
        manifests = extract(pipeline, source, cell, [table])
        with pipeline.database() as connection:
            records = [
                load_or_reject(
                    connection,
                    pipeline.settings.landing,
                    manifest,
                    package_directory(pipeline.settings.landing, manifest),
                    run_id=pipeline.run_id,
                    rules=pipeline.rules,
                )
                for manifest in sorted(manifests, key=lambda manifest: manifest.load_id)
            ]
            certificate = certificates.read_certificate(manifests, records)
            certificates.record_certificate(connection, certificate, pipeline.run_id)
        by_load = {record.load_id: record for record in records}
        for manifest in manifests:
            record = by_load[manifest.load_id]
            pipeline.tell(progress.loaded(record, certificate.status))
            yield manifest, record, certificate
        certificates.require_passed(certificate)


def extract(pipeline: "Pipeline", source: str, cell: str, tables: Sequence[str]) -> list[Manifest]:
    """Scan the tables into load packages, one per entity."""
    settings = pipeline.settings
    configured = settings.sources[source]
    assert isinstance(configured, DynamodbSource)
    client = dynamodb_client(configured.region, configured.endpoint)
    manifests: list[Manifest] = []
    for table in tables:
        entry = configured.tables[table]
        report = inspect(client, table)
        subject = f"{source}.{table}"
        manifests += scan_table(
            client,
            table,
            source=source,
            cell=cell,
            landing=settings.landing,
            routes=_routes(entry, configured.entities(table)),
            now=settings.now,
            budget=Budget(units_per_second(configured.read_capacity, report.provisioned)),
            segments=configured.segments,
            consistent=entry.consistent,
            pii=_pii(settings, source, table, configured.entities(table)),
            pii_keys={name: key.get_secret_value() for name, key in settings.pii_keys.items()},
            types=recorded(pipeline, source, configured.entities(table)),
            progress=lambda done, subject=subject: pipeline.tell(
                progress.Event("extract", subject, rows=done.items)
            ),
        )
    for manifest in manifests:
        pipeline.tell(progress.extracted(manifest))
    return manifests


def replay(
    pipeline: "Pipeline",
    subject: tuple[str, str, str],
    key: Mapping[str, str],
    payloads: Sequence[str],
    facts: dict[str, Any],
) -> tuple[list[Manifest], list[Rejection]]:
    """Write rejected items of a (source, cell, table) anew, as the configuration is now."""
    settings = pipeline.settings
    source, cell, table = subject
    configured = settings.sources[source]
    assert isinstance(configured, DynamodbSource)
    entities = configured.entities(table)
    with pipeline.database() as connection:
        standing = {
            at.entity: Standing(at.position, at.source_position, at.complete_up_to)
            for at in positions.positions(connection)
            if (at.source, at.cell, at.table) == subject
        }
    return replay_items(
        payloads,
        key,
        source=source,
        cell=cell,
        table=table,
        landing=settings.landing,
        routes=_routes(configured.tables[table], entities),
        standing=standing,
        pii=_pii(settings, source, table, entities),
        pii_keys={name: key.get_secret_value() for name, key in settings.pii_keys.items()},
        types=recorded(pipeline, source, entities),
        facts=facts,
    )


def _routes(table: DynamodbTable, entities: Sequence[str]) -> list[Route]:
    if not table.route:
        return [Route(entities[0], columns=table.columns)]
    return [
        Route(
            route.entity,
            {name: when.model_dump(exclude_unset=True) for name, when in route.when.items()},
            route.columns,
        )
        for route in table.route
    ]


def _pii(
    settings: Settings, source: str, table: str, entities: Sequence[str]
) -> Mapping[str, Mapping[str, str]]:
    """Return the rules by entity; those of the table itself hold for all its entities."""
    whole = settings.pii.get(f"{source}.{table}", {})
    return {entity: {**whole, **settings.pii.get(f"{source}.{entity}", {})} for entity in entities}


def recorded(pipeline: "Pipeline", source: str, entities: Sequence[str]) -> dict[str, list[Column]]:
    """Return the columns that raw has of each entity."""
    with pipeline.database() as connection:
        return {
            entity: [
                Column(**column)
                for column in positions.recorded_columns(connection, source, entity)
            ]
            for entity in entities
        }
