"""The Dagster resource that holds one run's pipeline, lease included, from start to end."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from orchestration import progress
from orchestration.opening import running
from orchestration.options import Options
from orchestration.pipeline import Pipeline
from warehouse.config import Settings

AS_OF_TAG = "warehouse/as_of"
FULL_REFRESH_TAG = "warehouse/full_refresh"
WAIT_TAG = "warehouse/wait"
RESTATED_TAG = "warehouse/restated"
REASON_TAG = "warehouse/restated_because"
INTERACTIVE_TAG = "warehouse/interactive"
# What begins and ends a run: `running`, or a rebuild's own.
Opening = Callable[[Settings, Options, progress.Progress], AbstractContextManager[Pipeline]]
SCHEDULED_TAG = "dagster/scheduled_execution_time"


def options_of(tags: dict[str, str], settings: Settings) -> Options:
    """Return the options that a run's tags carry.

    A scheduled run is for its tick; where the clock is a file, ticks of the system clock mean
    nothing and the sources' own time is taken, as by hand.
    """
    as_of = tags.get(AS_OF_TAG)
    if as_of is None and settings.warehouse.clock == "system":
        as_of = tags.get(SCHEDULED_TAG)
    refresh = tags.get(FULL_REFRESH_TAG, "")
    restated = tags.get(RESTATED_TAG, "").split(",")
    return Options(
        as_of=datetime.fromisoformat(as_of).astimezone(UTC) if as_of else None,
        full_refresh=frozenset(refresh.split(",")) - {""},
        wait=float(tags.get(WAIT_TAG, "3600")),
        interactive=INTERACTIVE_TAG in tags,
        is_run=True,
        restated=frozenset(date.fromisoformat(period) for period in restated if period),
        reason=tags.get(REASON_TAG),
    )


@dataclass(slots=True)
class Session:
    """What the one who started a run in this process wants to know of it afterwards."""

    pipeline: Pipeline | None = None
    failure: BaseException | None = None


def pipeline_resource(
    settings: Settings,
    tell: progress.Progress,
    session: Session,
    opening: Opening = running,
) -> dg.ResourceDefinition:
    """Return the resource; the in-process executor keeps one for all steps of a run."""

    def pipeline(context: Any) -> Iterator[Pipeline]:
        try:
            with opening(settings, options_of(context.run.tags, settings), tell) as opened:
                session.pipeline = opened
                yield opened
        except Exception as error:
            session.failure = error
            raise

    return dg.ResourceDefinition(resource_fn=pipeline)
