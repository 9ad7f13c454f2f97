"""Open a run and end it: under the writer lease, with everything whole before and after."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from extractors.errors import SourceError
from orchestration import (
    attribution,
    dbt,
    housekeeping,
    progress,
    recommendation_rules,
    sources,
)
from orchestration.options import Options
from orchestration.pipeline import CANCELLED, Pipeline
from warehouse import lease
from warehouse.backup import restore
from warehouse.config import Settings
from warehouse.ledger import entries
from warehouse.ledger.kept import kept_in
from warehouse.load import discards, outbox, replay, runs
from warehouse.publish import recommender_choices, status, versions
from warehouse.state import segments


@contextmanager
def running(
    settings: Settings, options: Options, tell: progress.Progress = progress.silent
) -> Iterator[Pipeline]:
    """Hold the writer lease around a run, and leave everything whole when it ends.

    First what an earlier run left unfinished is completed: a switch, state segments, packages
    that landed but were not loaded.
    """
    waiting = lambda text: tell(progress.Event("wait", "lease", text))  # noqa: E731
    with lease.hold(settings.home, wait=options.wait, waiting=waiting) as held:
        pipeline = Pipeline(settings, options, held, tell, str(uuid.uuid4()))
        with pipeline.closing:
            _begin(pipeline)
            error: BaseException | None = None
            try:
                if options.is_run:  # before a source is read
                    recommendation_rules.require_understood(dbt.project(settings))
                    attribution.require_kept(settings, pipeline.final.months, options.restated)
                yield pipeline
                error = pipeline.failure
            except BaseException as raised:
                error = pipeline.failure or raised
                raise
            finally:
                _end(pipeline, error)
            if error is None:
                housekeeping.prune_daily(pipeline)


def _begin(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    if settings.warehouse.engine != "duckdb":
        raise SourceError(
            f"engine {settings.warehouse.engine} is not available in this version; use duckdb"
        )
    restore.require_finished(settings)
    segments.verify(settings.state_directory)
    with segments.exclusive(settings.state_directory):
        versions.complete_switch(settings)
        versions.remove_old(settings)
    versions.catch_up(settings)
    versions.sweep(settings.published_directory)
    entries.verify(settings.state_directory)
    entries.sweep(settings.state_directory)
    pipeline.final = attribution.kept_in(settings.state_directory)
    pipeline.kept = kept_in(settings.state_directory)
    pipeline.choices = recommender_choices.choices(settings.state_directory)
    with pipeline.database() as connection:
        with segments.exclusive(settings.state_directory):
            outbox.flush(connection, settings.state_directory)
        replay.restore_certificates(connection, settings.state_directory)
        discards.restore(connection, settings.state_directory)
        pipeline.resumed_as_of = runs.begin(connection, _told_in(pipeline), pipeline.run_id)
        pipeline.catch_up(connection, sources.landed_tables(settings))


def _end(pipeline: Pipeline, error: BaseException | None) -> None:
    settings = pipeline.settings
    with pipeline.database() as connection:
        with segments.exclusive(settings.state_directory):
            outbox.flush(connection, settings.state_directory)
        status.write_status(connection, settings)
        is_cancelled = isinstance(error, CANCELLED)
        told = "interrupted" if is_cancelled else progress.error_text(error, settings)
        runs.finish(connection, _told_in(pipeline), pipeline.run_id, told, as_of=pipeline.as_of)


def _told_in(pipeline: Pipeline) -> Path | None:
    return pipeline.settings.state_directory if pipeline.options.is_run else None
