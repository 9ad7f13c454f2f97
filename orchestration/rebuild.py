"""Build a side version from what raw knew at an instant: what `warehouse rebuild` does."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb

from extractors.errors import ConfigError
from extractors.package import utc_text
from orchestration import attribution, dbt, definitions, progress, resources, run, sources
from orchestration.defs.publication.assets import JOB
from orchestration.options import Options
from orchestration.pipeline import Pipeline
from warehouse import lease
from warehouse.backup import restore
from warehouse.config import Settings
from warehouse.ledger.kept import kept_in
from warehouse.load import known, replay
from warehouse.publish import recommender_choices, side, versions
from warehouse.publish.side import SideVersion
from warehouse.state import segments

FOLDER = "rebuild"


def rebuild(
    settings: Settings,
    known_at: datetime | str,
    *,
    as_of: datetime | None = None,
    wait: float = 600.0,
    tell: progress.Progress = progress.silent,
) -> SideVersion:
    """Build, audit and write a side version; nothing else of the warehouse changes.

    `known_at` is an instant, or the name of a version: what raw knew when that was published. The
    same job as a run's goes on without extraction, in a home of its own. It holds the writer lease,
    so that no package is removed meanwhile. AuditError: nothing was written.
    """
    moment, as_of = _resolved(settings, known_at, as_of)
    waiting = lambda text: tell(progress.Event("wait", "lease", text))  # noqa: E731
    with lease.hold(settings.home, wait=wait, waiting=waiting) as held:
        restore.require_finished(settings)
        segments.verify(settings.state_directory)
        versions.sweep(settings.published_directory)
        aside = _aside(settings)
        made = _build(settings, aside, held, moment, as_of, tell)
        shutil.rmtree(aside.home)
    return made


def _resolved(
    settings: Settings, known_at: datetime | str, as_of: datetime | None
) -> tuple[datetime, datetime | None]:
    """Return the instant that is meant, and the as_of of the newest version at that time."""
    if isinstance(known_at, str):
        record = versions.publication(settings, known_at)
        if record is None:
            raise ConfigError(f"version {known_at} does not exist; `warehouse versions` lists them")
        known_at = datetime.fromisoformat(record["published_at"])
    if known_at > datetime.now(UTC):
        raise ConfigError(f"{utc_text(known_at)} has not come yet")
    if as_of is None:
        text = utc_text(known_at)
        newest = next(
            (r for r in versions.publications(settings) if r["published_at"] <= text), None
        )
        as_of = datetime.fromisoformat(newest["as_of"]) if newest else None
    return known_at, as_of


def _aside(settings: Settings) -> Settings:
    """Return the settings of an empty home of its own, with the project as it was parsed last."""
    home = settings.home / FOLDER
    shutil.rmtree(home, ignore_errors=True)
    (home / "dbt").mkdir(parents=True)
    for manifest in (settings.home / "dbt").glob("manifest-*.json"):
        shutil.copy(manifest, home / "dbt")
    section = settings.warehouse.model_copy(update={"home": home, "landing": settings.landing})
    return settings.model_copy(update={"warehouse": section})


def _build(
    settings: Settings,
    aside: Settings,
    held: lease.Lease,
    known_at: datetime,
    as_of: datetime | None,
    tell: progress.Progress,
) -> SideVersion:
    made: list[SideVersion] = []

    def publish(
        connection: duckdb.DuckDBPyConnection, aside: Settings, **facts: Any
    ) -> SideVersion:
        # no later run continues from a side version, and nothing becomes final by it
        del facts["fingerprint"], facts["next_due_at"], facts["also"]
        models = dbt.models_fingerprint(dbt.project(aside))
        made.append(side.publish(connection, settings, known_at=known_at, models=models, **facts))
        return made[-1]

    @contextmanager
    def opening(aside: Settings, options: Options, tell: progress.Progress) -> Iterator[Pipeline]:
        pipeline = Pipeline(aside, options, held, tell, str(uuid.uuid4()), publisher=publish)
        with pipeline.closing:
            _fill(pipeline, settings, known_at)
            yield pipeline

    session = resources.Session()
    job = definitions.build(aside, tell, session, opening).resolve_job_def(JOB)
    tags = {resources.INTERACTIVE_TAG: "true"}
    if as_of:
        tags[resources.AS_OF_TAG] = utc_text(as_of)
    with dg.DagsterInstance.ephemeral() as dagster:  # the UI shows what readers see
        run.execute(settings, job, dagster, session, tags, selected=[])
    return made[0]


def _fill(pipeline: Pipeline, settings: Settings, known_at: datetime) -> None:
    pipeline.final = attribution.kept_in(settings.state_directory, known_at)
    pipeline.kept = kept_in(settings.state_directory, known_at)
    pipeline.choices = recommender_choices.choices(settings.state_directory, known_at)
    with pipeline.database() as connection:
        replay.restore_certificates(connection, settings.state_directory, known_at)
        known.replay(
            connection,
            settings.landing,
            sources.landed_tables(settings),
            known_at,
            run_id=pipeline.run_id,
            rules=pipeline.rules,
            loaded=lambda record: pipeline.tell(
                progress.Event(
                    "load", f"{record.source}.{record.entity}", rows=record.loaded_rows, done=True
                )
            ),
        )
