"""Prune under the writer lease: on demand, and once a day after a run that succeeded."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from extractors.dynamodb.scan import RESUME_WITHIN
from extractors.errors import WarehouseError
from orchestration import progress, sources
from warehouse import lease
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.retention import daily
from warehouse.retention.prune import Pruned, prune

if TYPE_CHECKING:
    from orchestration.pipeline import Pipeline


def would_prune(
    settings: Settings, *, wait: float = 0.0, tell: progress.Progress = progress.silent
) -> list[Pruned]:
    """Return what `prune_now` would remove; only the writer lease's file is written."""
    waiting = lambda text: tell(progress.Event("wait", "lease", text))  # noqa: E731
    tables, database = sources.landed_tables(settings), settings.build_database
    with lease.hold(settings.home, wait=wait, waiting=waiting):
        if not database.exists():
            return prune(settings, None, tables, resume_within=RESUME_WITHIN, dry_run=True)
        with duckdb_engine.build_database_as_it_is(database) as connection:
            return prune(settings, connection, tables, resume_within=RESUME_WITHIN, dry_run=True)


def prune_now(pipeline: "Pipeline") -> list[Pruned]:
    """Remove what retention does not keep, in a run that has nothing else to do any more."""
    settings = pipeline.settings
    pipeline.release()  # what it spilled goes with it, and what is there then is of a killed run
    with pipeline.database() as connection:
        pruned = prune(
            settings, connection, sources.landed_tables(settings), resume_within=RESUME_WITHIN
        )
    daily.record(settings, datetime.now(UTC), pruned)
    return pruned


def prune_daily(pipeline: "Pipeline") -> None:
    """Prune if that was not done today; a failure is told and recorded, and fails no run."""
    settings, now = pipeline.settings, datetime.now(UTC)
    if not daily.is_due(settings, now):
        return
    try:
        pruned = prune_now(pipeline)
    except (WarehouseError, duckdb.Error, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        daily.record(settings, now, [], reason)
        pipeline.tell(progress.Event("prune", "nothing removed", reason, done=True))
        return
    if freed := sum(entry.freed for entry in pruned):
        pipeline.tell(progress.Event("prune", "removed", f"{freed:,} bytes", done=True))
