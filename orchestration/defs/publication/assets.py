"""The published version as an asset, and the job and schedule that make it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.pipeline import Pipeline
from warehouse.publish import status

JOB = "refresh"
COMPLETE = "complete"


def publication_asset(manifest: Path, marts: Sequence[dg.AssetsDefinition]) -> dg.AssetsDefinition:
    """Return the asset of the published DuckDB file; it follows every model and its tests."""
    document: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))

    @dg.asset(
        key=["publication", "version"],
        deps=list(marts),
        check_specs=[
            dg.AssetCheckSpec(
                COMPLETE,
                asset=["publication", "version"],
                description="Every source's data up to the version's as_of is in.",
            )
        ],
        group_name="publication",
        kinds={"duckdb"},
        description="The version that notebooks and BI tools read, switched in one step.",
    )
    def version(pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:
        with pipeline.step("publish"):
            published = pipeline.publish(document)
        return dg.MaterializeResult(
            metadata={
                "version": published.version,
                "as of": published.as_of,
                "shown to readers": published.is_current,
                "rows": sum(table.rows for table in published.tables),
            },
            check_results=[_complete(pipeline)],
        )

    return version


def _complete(pipeline: Pipeline) -> dg.AssetCheckResult:
    """Return whether a late source holds a mart of the current version back: only a warning."""
    late = sorted(
        f"{mart['mart']} ({mart['cell']}) up to {mart['complete_up_to']}"
        for mart in status.status(pipeline.settings)["marts"]
        if not mart["is_complete"]
    )
    return dg.AssetCheckResult(
        check_name=COMPLETE,
        passed=not late,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"late marts": late},
    )


def refresh_job() -> Any:
    """Return the job that goes from the sources to the published version."""
    return dg.define_asset_job(
        JOB, selection=dg.AssetSelection.all(), executor_def=dg.in_process_executor
    )


def hourly_schedule(job: Any) -> dg.ScheduleDefinition:
    """Return the hourly run, off until somebody turns it on in the UI."""
    return dg.ScheduleDefinition(
        name="hourly",
        job=job,
        cron_schedule="0 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="On the hour: a version is for a whole hour, its as_of.",
    )
