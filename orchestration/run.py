"""Run the Dagster job in this process: what `warehouse run` does."""

import contextlib
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from extractors.errors import ConfigError, WarehouseError, storage_error
from extractors.package import Manifest, package_directory, read_manifest, utc_text
from orchestration import attribution, definitions, progress, resources, sources
from orchestration.defs.ingestion.assets import asset_key
from orchestration.defs.publication.assets import JOB
from orchestration.event_log import KeptEventLog
from orchestration.home import dagster_home
from orchestration.opening import running
from orchestration.options import Options
from orchestration.pipeline import CANCELLED
from warehouse import config
from warehouse.config import Settings
from warehouse.load import chains
from warehouse.load.package import LoadRecord
from warehouse.load.replay import load_or_reject
from warehouse.publish import publication, status, versions


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did. `published` is False when nothing was new; `version` is the newest.

    `as_of` is that version's; `rejected` counts the rejected rows that are open; `targets` are the
    places where readers find versions, as `status` tells of them.
    """

    run_id: str
    as_of: str | None
    version: str | None
    published: bool
    held: str | None
    tables: tuple[dict[str, Any], ...]
    rejected: int
    targets: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def instance(settings: Settings) -> dg.DagsterInstance:
    """Return the Dagster instance of this warehouse, the one that the UI shows.

    It captures no step's output, for which Dagster starts four processes a step: the output is the
    caller's own, and a Ctrl-C meant for the run would end them with tracebacks.
    """
    if not event.contains(Engine, "connect", _without_fsync):
        event.listen(Engine, "connect", _without_fsync)
    overrides: dict[str, Any] = {"compute_logs": _named(NoOpComputeLogManager)}
    home = str(dagster_home(settings))
    ref = InstanceRef.from_dir(home, overrides=overrides)
    log = ref.event_storage_data
    # Whoever keeps Dagster's log in a PostgreSQL, say, does so here too.
    if log is not None and log.class_name == SqliteEventLogStorage.__name__:
        overrides["event_log_storage"] = {
            **_named(KeptEventLog),
            "config": yaml.safe_load(log.config_yaml),
        }
        ref = InstanceRef.from_dir(home, overrides=overrides)
    return dg.DagsterInstance.from_ref(ref)


def _named(kind: type) -> dict[str, str]:
    """Return a class as `dagster.yaml` names it."""
    return {"module": kind.__module__, "class": kind.__name__}


def _without_fsync(connection: Any, _record: Any) -> None:
    """Let Dagster's event log skip its fsyncs: 190 events took 12 s of a run that had no news.

    What a power cut may take is the log of a run, never the warehouse, which has its own state.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


def run(
    settings: Settings,
    *,
    select: Sequence[str] = (),
    full_refresh: Sequence[str] = (),
    as_of: datetime | None = None,
    wait: float = 600.0,
    tell: progress.Progress = progress.silent,
) -> RunResult:
    """Extract, load, certify, build, audit and publish; errors are WarehouseError.

    `select` and `full_refresh` name tables as SOURCE or SOURCE.TABLE.
    """
    refreshed = config.selection(settings, full_refresh) if full_refresh else []
    selected = config.selection(settings, select) if select else None
    tags: dict[str, str] = {}
    if as_of:
        tags[resources.AS_OF_TAG] = utc_text(as_of)
    if refreshed:
        tags[resources.FULL_REFRESH_TAG] = ",".join(f"{s}.{t}" for s, t in refreshed)
    return _run(settings, selected, tags, wait, tell)


def restate(
    settings: Settings,
    periods: Collection[date],
    reason: str,
    *,
    wait: float = 600.0,
    tell: progress.Progress = progress.silent,
) -> RunResult:
    """Fit final months of attribution anew to what raw holds now, build, audit and publish.

    Nothing is extracted. ConfigError where a month is not final.
    """
    # Before there is a run: one that failed would be told of until the next.
    attribution.require_final(attribution.kept_in(settings.state_directory).months, periods)
    tags = {
        resources.RESTATED_TAG: ",".join(str(period) for period in sorted(periods)),
        resources.REASON_TAG: reason,
    }
    return _run(settings, [], tags, wait, tell)


def _run(
    settings: Settings,
    selected: Sequence[tuple[str, str]] | None,
    tags: dict[str, str],
    wait: float,
    tell: progress.Progress,
) -> RunResult:
    session = resources.Session()
    built = definitions.build(settings, tell, session)
    job = built.resolve_job_def(JOB)
    tags |= {resources.INTERACTIVE_TAG: "true", resources.WAIT_TAG: str(wait)}
    with instance(settings) as dagster:
        execute(settings, job, dagster, session, tags, selected)
    pipeline = session.pipeline
    assert pipeline is not None
    left = status.status(settings)
    return RunResult(
        pipeline.run_id,
        utc_text(newest) if (newest := publication.newest_as_of(settings)) else None,
        versions.newest_version(settings),
        pipeline.published is not None,
        versions.held_version(settings),
        tuple(result.to_dict() for result in pipeline.tables),
        sum(table["quarantined"] for table in left["tables"]),
        tuple(left["targets"]),
    )


def execute(
    settings: Settings,
    job: dg.JobDefinition,
    dagster: dg.DagsterInstance,
    session: resources.Session,
    tags: dict[str, str],
    selected: Sequence[tuple[str, str]] | None,
) -> None:
    """Run the job in this process, extracting only the selected tables; raise what ended it."""
    with _quiet(settings):
        try:
            outcome = job.execute_in_process(
                instance=dagster,
                tags=tags,
                raise_on_error=False,
                asset_selection=_selection(settings, job, selected),
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        except SQLAlchemyError as error:  # Dagster's log; the run may have failed before it
            raise _failure(session) or error from None
    if not outcome.success:
        raise _reason(settings, outcome, session)


def _selection(
    settings: Settings, job: dg.JobDefinition, selected: Sequence[tuple[str, str]] | None
) -> list[dg.AssetKey] | None:
    if selected is None:
        return None
    raw = {
        asset_key(settings, source, cell, entity)
        for source, configured in settings.sources.items()
        for cell in configured.cell_names
        for table in configured.tables
        if (source, table) not in selected
        for entity in configured.entities(table)
    }
    return [key for key in job.asset_layer.executable_asset_keys if key not in raw]


@contextlib.contextmanager
def _quiet(settings: Settings) -> Any:
    """Send dbt's lines, which Dagster repeats on standard output, to the run's log."""
    settings.logs_directory.mkdir(parents=True, exist_ok=True)
    path = settings.logs_directory / "run.log"
    with path.open("a", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        yield


def _failure(session: resources.Session) -> BaseException | None:
    """Return the error that ended the run's own work."""
    return session.failure or (session.pipeline and session.pipeline.failure)


def _reason(settings: Settings, outcome: Any, session: resources.Session) -> BaseException:
    """Return the error that ended the run as the user should see it."""
    failure = _failure(session)
    if isinstance(failure, CANCELLED):
        return KeyboardInterrupt()
    if failure is not None:
        return failure
    for logged in outcome.all_events:
        error = getattr(logged.event_specific_data, "error", None)
        if error is not None:
            if "ExecutionInterrupted" in error.message:
                return KeyboardInterrupt()
            text = " ".join(error.message.split())
            return storage_error(text, settings.home) or WarehouseError(text)
    return WarehouseError("the run failed; the Dagster UI shows why")


def extract(
    settings: Settings, name: str, tell: progress.Progress = progress.silent
) -> list[Manifest]:
    """Extract one table (SOURCE.TABLE) in every cell into landing, and load nothing."""
    source, table = config.table_named(settings, name)
    with running(settings, Options(interactive=True), tell) as pipeline:
        return [
            manifest
            for cell in settings.sources[source].cell_names
            for manifest in sources.extract(pipeline, source, cell, [table])
        ]


def load(settings: Settings, directory: Path) -> LoadRecord:
    """Load one package folder into raw."""
    manifest = read_manifest(directory)
    if directory.resolve() != package_directory(settings.landing, manifest).resolve():
        raise ConfigError(f"{directory}: not a package folder of {settings.landing}")
    if manifest.mode == chains.MODE:
        raise ConfigError(f"{directory}: holds what raw made of others; a run takes it by itself")
    with (
        running(settings, Options(interactive=True)) as pipeline,
        pipeline.database() as connection,
    ):
        return load_or_reject(
            connection,
            settings.landing,
            manifest,
            directory,
            run_id=pipeline.run_id,
            rules=pipeline.rules,
        )
