"""Bring the tables of one source and cell into raw, whatever kind of store it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from extractors.package import Manifest
from orchestration import dynamodb, relational
from warehouse.config import Settings
from warehouse.config.sources import DynamodbSource
from warehouse.load.package import LoadRecord
from warehouse.publish import status
from warehouse.reconcile.certificate import Certificate

if TYPE_CHECKING:
    from orchestration.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class TableResult:
    """What one run did with one raw table of one cell."""

    manifest: Manifest
    record: LoadRecord
    certificate: Certificate

    @property
    def entity(self) -> str:
        return self.manifest.entity

    @property
    def load_id(self) -> str:
        return self.manifest.load_id

    @property
    def seconds(self) -> float:
        """Return how long the extraction took."""
        return (self.manifest.finished_at - self.manifest.started_at).total_seconds()

    def to_dict(self) -> dict[str, Any]:
        return {
            "source": self.manifest.source,
            "cell": self.manifest.cell,
            "table": self.manifest.table,
            "entity": self.manifest.entity,
            "mode": self.manifest.mode,
            "rows": self.manifest.rows,
            "quarantined": self.manifest.quarantined,
            "inserted": self.record.inserted_rows,
            "updated": self.record.updated_rows,
            "deleted": self.record.deleted_rows,
            "bytes": self.manifest.bytes,
            "seconds": round(self.seconds, 3),
            "load_id": self.manifest.load_id,
            "complete_up_to": self.manifest.complete_up_to.isoformat(),
            "certificate": self.certificate.status,
        }

    def metadata(self, now: datetime) -> dict[str, Any]:
        """Return what the Dagster UI shows of the materialization."""
        return {
            "dagster/row_count": self.record.loaded_rows,
            "rows inserted": self.record.inserted_rows,
            "rows updated": self.record.updated_rows,
            "rows deleted": self.record.deleted_rows,
            "rows quarantined": self.record.quarantined_rows,
            "bytes": self.manifest.bytes,
            "rows per second": round(self.manifest.rows / max(self.seconds, 0.001)),
            "mode": self.manifest.mode,
            "load id": self.manifest.load_id,
            "complete up to": self.manifest.complete_up_to.isoformat(),
            "lag in seconds": max(0.0, (now - self.manifest.complete_up_to).total_seconds()),
            **{f"source: {name}": str(value) for name, value in self.manifest.facts.items()},
        }


def ingest(
    pipeline: "Pipeline", source: str, cell: str, tables: Sequence[str]
) -> Iterator[TableResult]:
    """Extract, load and certify; AuditError where a certificate fails."""
    reader = _reader(pipeline.settings, source)
    for manifest, record, certificate in reader.ingest(pipeline, source, cell, tables):
        yield TableResult(manifest, record, certificate)


def extract(pipeline: "Pipeline", source: str, cell: str, tables: Sequence[str]) -> list[Manifest]:
    """Write load packages and load nothing."""
    return _reader(pipeline.settings, source).extract(pipeline, source, cell, tables)


def _reader(settings: Settings, source: str) -> Any:
    return dynamodb if isinstance(settings.sources[source], DynamodbSource) else relational


def landed_tables(settings: Settings) -> list[tuple[str, str, str]]:
    """Return every configured (source, cell, table)."""
    return [
        (name, cell, table)
        for name, source in settings.sources.items()
        for cell in source.cell_names
        for table in source.tables
    ]


def loaded_packages(settings: Settings) -> dict[tuple[str, str, str], str]:
    """Return the newest package that raw held of each (source, cell, table) after the last run."""
    newest = dict.fromkeys(landed_tables(settings), "")
    for table in status.status(settings)["tables"]:
        key = (table["source"], table["cell"], table["table"])
        if key in newest:
            newest[key] = max(newest[key], table["load_id"])
    return newest


def raw_keys(settings: Settings) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return (source, entity) -> key columns, for the tables whose key the configuration names."""
    return {
        (name, entity): tuple(table.key)
        for name, source in settings.sources.items()
        if not isinstance(source, DynamodbSource)
        for table_name, table in source.tables.items()
        for entity in source.entities(table_name)
    }


def history_tables(settings: Settings) -> frozenset[tuple[str, str]]:
    """Return the (source, entity) whose every version is kept."""
    return frozenset(
        (name, entity)
        for name, source in settings.sources.items()
        if not isinstance(source, DynamodbSource)
        for table_name, table in source.tables.items()
        if table.history
        for entity in source.entities(table_name)
    )
