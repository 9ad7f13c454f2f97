"""The raw tables as assets, each with its certificate as a check."""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from orchestration.pipeline import Pipeline
from orchestration.sources import TableResult
from warehouse.config import Settings

CERTIFICATE = "certificate"


def asset_key(settings: Settings, source: str, cell: str, entity: str) -> dg.AssetKey:
    """Return raw_<source>/<entity>; with several cells raw_<source>/<cell>/<entity>."""
    several = len(settings.sources[source].cell_names) > 1
    return dg.AssetKey([f"raw_{source}", *([cell] if several else []), entity])


def raw_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Return the assets of every source and cell, and those that several cells feed."""
    assets: list[dg.AssetsDefinition] = []
    for source, configured in settings.sources.items():
        cells = configured.cell_names
        assets += [_cell_assets(settings, source, cell) for cell in cells]
        if len(cells) > 1:
            assets.append(_merged_assets(settings, source))
    return assets


def _cell_assets(settings: Settings, source: str, cell: str) -> dg.AssetsDefinition:
    tables = {
        asset_key(settings, source, cell, entity): (table, entity)
        for table in settings.sources[source].tables
        for entity in settings.sources[source].entities(table)
    }

    @dg.multi_asset(
        name=f"extract_{source}_{cell}",
        specs=[dg.AssetSpec(key, group_name=source, kinds={"duckdb"}) for key in tables],
        check_specs=[dg.AssetCheckSpec(CERTIFICATE, asset=key, blocking=True) for key in tables],
        can_subset=True,
        retry_policy=dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL),
    )
    def extract(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult]:
        wanted = {tables[key][0] for key in context.selected_asset_keys}
        with pipeline.step(f"extract {source} {cell}"):
            for result in pipeline.ingest(source, cell, sorted(wanted)):
                key = asset_key(settings, source, cell, result.entity)
                if key in context.selected_asset_keys:
                    yield _materialized(key, result, pipeline.settings.now())

    return extract


def _materialized(key: dg.AssetKey, result: TableResult, now: datetime) -> dg.MaterializeResult:
    certificate = result.certificate
    return dg.MaterializeResult(
        asset_key=key,
        metadata=result.metadata(now),
        data_version=dg.DataVersion(result.load_id),
        check_results=[
            dg.AssetCheckResult(
                check_name=CERTIFICATE,
                asset_key=key,
                passed=certificate.status == "passed",
                metadata={
                    "kind": certificate.kind,
                    "source rows": certificate.source_rows,
                    "warehouse rows": certificate.warehouse_rows,
                    "differing ranges": list(certificate.ranges),
                },
            )
        ],
    )


def _merged_assets(settings: Settings, source: str) -> dg.AssetsDefinition:
    configured = settings.sources[source]
    specs = [
        dg.AssetSpec(
            dg.AssetKey([f"raw_{source}", entity]),
            group_name=source,
            deps=[asset_key(settings, source, cell, entity) for cell in configured.cell_names],
        )
        for table in configured.tables
        for entity in configured.entities(table)
    ]

    @dg.multi_asset(name=f"merge_{source}", specs=specs, can_subset=True)
    def merge(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key)

    return merge
