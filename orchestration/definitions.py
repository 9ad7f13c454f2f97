"""The code location: what runs where."""

import logging

import dagster as dg

from orchestration import dbt, lineage, progress
from orchestration.defs.ingestion.assets import raw_assets
from orchestration.defs.ingestion.sensors import unfinished_sensor
from orchestration.defs.marts.assets import mart_assets
from orchestration.defs.publication.assets import hourly_schedule, publication_asset, refresh_job
from orchestration.opening import running
from orchestration.resources import Opening, Session, pipeline_resource
from warehouse import config
from warehouse.config import Settings


def build(
    settings: Settings,
    tell: progress.Progress = progress.silent,
    session: Session | None = None,
    opening: Opening = running,
) -> dg.Definitions:
    """Return the definitions of one configured warehouse."""
    # A run without news builds no model: of the checks that then have no result Dagster warns one
    # by one, and nothing is published.
    logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
    manifest = dbt.manifest_path(settings)
    lineage.require_filled(manifest, settings)
    marts = mart_assets(manifest)
    job = refresh_job()
    return dg.Definitions.merge(
        dg.Definitions(assets=raw_assets(settings)),
        dg.Definitions(assets=marts),
        dg.Definitions(
            assets=[publication_asset(manifest, marts)],
            jobs=[job],
            schedules=[hourly_schedule(job)],
            sensors=[unfinished_sensor(settings, job)],
        ),
        dg.Definitions(
            resources={"pipeline": pipeline_resource(settings, tell, session or Session(), opening)}
        ),
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return the code location of the warehouse.yml that the environment names."""
    return build(config.load(None))
