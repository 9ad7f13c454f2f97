"""Ask for a run between the schedule's ticks where something waits for one."""

from typing import Any

import dagster as dg

from orchestration.sources import loaded_packages
from warehouse.config import Settings
from warehouse.load import unfinished

INTERVAL_SECONDS = 60


def unfinished_sensor(settings: Settings, job: Any) -> dg.SensorDefinition:
    """Return the sensor of killed runs, and of packages that landed and were not loaded."""

    @dg.sensor(
        name="unfinished",
        job=job,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Runs again after a run was killed, and loads what `warehouse extract` landed.",
    )
    def sensor() -> dg.RunRequest | dg.SkipReason:
        why = unfinished.reason(
            settings.home, settings.state_directory, settings.landing, loaded_packages(settings)
        )
        if why is None:
            return dg.SkipReason("the last run ended, or goes on; all that landed is loaded")
        return dg.RunRequest(run_key=why.key, tags={"warehouse/reason": why.text})

    return sensor
