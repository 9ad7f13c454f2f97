"""One run: what its steps share, from the writer lease to the published version."""

import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Self

import dagster as dg
import duckdb

from extractors.errors import SourceError
from orchestration import (
    attribution,
    dbt,
    ledger,
    lineage,
    model_tables,
    progress,
    raw_columns,
    recommendations,
    sources,
    staleness,
)
from orchestration.options import Options
from warehouse import lease
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.ledger.kept import Kept
from warehouse.load import builds, certificates, positions, replay, runs
from warehouse.load.package import LoadRules
from warehouse.publish import publication, recommender_choices, versions
from warehouse.publish.recommender_choices import Choice

# Ctrl-C, a SIGTERM, or "terminate" in the Dagster UI.
CANCELLED = (KeyboardInterrupt, dg.DagsterExecutionInterruptedError)


@dataclass(slots=True)
class Pipeline:
    """The state of a run; made by `running`, which holds the writer lease around it."""

    settings: Settings
    options: Options
    held: lease.Lease
    tell: progress.Progress
    run_id: str
    resumed_as_of: datetime | None = None
    as_of: datetime | None = None
    raw_fingerprint: str = ""
    now: staleness.Now | None = None
    plan: staleness.Plan = staleness.NOTHING
    tables: list[sources.TableResult] = field(default_factory=list["sources.TableResult"])
    published: versions.Version | None = None
    failures: dict[str, BaseException] = field(default_factory=dict[str, BaseException])
    opened: duckdb.DuckDBPyConnection | None = None
    closing: ExitStack = field(default_factory=ExitStack)
    publisher: Callable[..., versions.Version] = publication.publish
    final: attribution.Final = field(default_factory=attribution.Final)
    kept: Kept = field(default_factory=Kept)
    choices: Mapping[date, Choice] = field(default_factory=dict[date, Choice])

    @property
    def rules(self) -> LoadRules:
        load = self.settings.load
        return LoadRules(
            load.max_quarantined_share,
            load.max_quarantined_rows,
            sources.history_tables(self.settings),
            raw_columns.models_using(self.settings),
        )

    @contextmanager
    def database(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend the build database to a step; opened once, it stays open until `release`.

        An error closes it: what it was in the middle of must not reach the next step.
        """
        if self.opened is None:
            database = duckdb_engine.build_database(self.settings.build_database)
            self.opened = self.closing.enter_context(database)
        try:
            yield self.opened
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Close the build database, before another process opens it."""
        self.opened = None
        self.closing.close()

    @contextmanager
    def step(self, name: str) -> Iterator[Self]:
        """Remember the error that ends a step until a retry of it succeeds.

        Only a source that fails may do better a minute later, and only where nobody waits for it.
        A run that was cancelled begins no further step.
        """
        if self.is_cancelled:
            raise dg.Failure("the run was cancelled", allow_retries=False)
        try:
            yield self
        except (Exception, *CANCELLED) as error:
            self.failures[name] = error
            if self.options.interactive or not isinstance(error, SourceError):
                raise dg.Failure(str(error), allow_retries=False) from error
            raise
        self.failures.pop(name, None)

    @property
    def is_cancelled(self) -> bool:
        return any(isinstance(error, CANCELLED) for error in self.failures.values())

    @property
    def failure(self) -> BaseException | None:
        """Return the first error that no retry made good."""
        return next(iter(self.failures.values()), None)

    def ingest(
        self, source: str, cell: str, tables: Sequence[str]
    ) -> Iterator[sources.TableResult]:
        """Extract, load and certify the tables of one source and cell."""
        for result in sources.ingest(self, source, cell, tables):
            self.tables.append(result)
            yield result

    def catch_up(
        self, connection: duckdb.DuckDBPyConnection, tables: Iterable[tuple[str, str, str]]
    ) -> None:
        """Load what landed of the tables (source, cell, table) and raw does not hold yet."""
        replay.catch_up(
            connection,
            self.settings.landing,
            tables,
            run_id=self.run_id,
            rules=self.rules,
            refresh=self.options.full_refresh,
            loaded=lambda record: self.tell(
                progress.Event(
                    "load",
                    f"{record.source}.{record.entity}",
                    "loaded a package that had landed before",
                    record.loaded_rows,
                    done=True,
                )
            ),
        )

    def decide(self, manifest: Mapping[str, Any]) -> bool:
        """Fix the run's as_of and return whether a version has to be made for it.

        `plan` then holds what has to be built: nothing where a run was killed after its audit.
        """
        with self.step("decide"), self.database() as connection:
            restated = self.options.restated
            found = positions.positions(connection)
            if not found:
                raise SourceError("nothing is loaded yet; run without --select first")
            self.as_of = self._as_of(min(p.complete_up_to for p in found))
            runs.set_as_of(connection, self.run_id, self.as_of)
            models = dbt.build_fingerprint(self.settings)
            self.raw_fingerprint = positions.fingerprint(connection, models)
            self.kept = self.kept.at(self.settings.state_directory, self.as_of)
            fingerprint = ledger.fingerprint(self.raw_fingerprint, self.kept.texts())
            if not restated and publication.is_built(
                connection, self.settings, fingerprint, self.as_of
            ):
                return False
            certificates.require_none_failed(connection, sources.landed_tables(self.settings))
            self.now = staleness.Now(
                models,
                builds.changes(connection),
                self.as_of,
                model_tables.due(connection) | ledger.due(connection),
                zoneinfo.ZoneInfo(self.settings.warehouse.reporting_time_zone),
                attribution.texts(self.final, self.options, self.run_id)
                | ledger.texts(self.kept)
                | recommendations.texts(self.choices),
            )
            builds.drop_gone(connection, {*manifest["nodes"], *manifest["sources"]})
            builds.drop_unmade(connection, publication.PUBLIC_SCHEMAS, lineage.made(manifest))
            self.plan = staleness.plan(manifest, builds.recorded(connection), self.now)
            updated = lineage.updated_in_place(manifest)
            builds.drop_of_others(connection, updated, models)
            builds.forget(connection, self.plan.nodes, updated)
            ledger.write(connection, manifest, self.plan.before, self.kept)
        return True

    def built(self, manifest: Mapping[str, Any], nodes: Iterable[str]) -> None:
        """Record nodes whose build passed its audit."""
        assert self.now is not None
        with self.database() as connection:
            builds.record(connection, staleness.to_record(manifest, nodes, self.now))

    def choices_after(self, connection: duckdb.DuckDBPyConnection) -> Mapping[date, Choice]:
        """Return the choices of recommenders as state has them once this build is published.

        An as_of that is yet to come is asked for by hand, perhaps mistyped: it chooses nothing.
        """
        assert self.as_of is not None
        if self.as_of > self.settings.now():
            return self.choices
        return recommender_choices.with_built(self.choices, recommender_choices.built(connection))

    def _as_of(self, complete_up_to: datetime) -> datetime:
        if self.options.as_of:
            return self.options.as_of
        if self.resumed_as_of:
            return self.resumed_as_of
        tick = complete_up_to.replace(minute=0, second=0, microsecond=0)
        newest = publication.newest_as_of(self.settings)
        if newest is None or newest > self.settings.now():  # asked for by hand, perhaps mistyped
            return tick
        # A transaction left open for hours holds completeness back, not the version.
        return max(tick, newest)

    def publish(self, manifest: Mapping[str, Any]) -> versions.Version:
        """Publish the audited build."""
        assert self.as_of is not None
        with self.database() as connection:
            posted: list[dict[str, Any]] = []
            if self.publisher is publication.publish:
                posted = ledger.post(
                    connection, self.settings, self.kept, run_id=self.run_id, as_of=self.as_of
                )
            due = model_tables.due(connection) | ledger.due(connection)
            self.published = self.publisher(
                connection,
                self.settings,
                run_id=self.run_id,
                as_of=self.as_of,
                fingerprint=ledger.fingerprint(
                    self.raw_fingerprint, ledger.texts_after(self.kept, posted)
                ),
                next_due_at=min(due.values(), default=None),
                sources_of=lineage.sources_of(manifest),
                unmatched=model_tables.unmatched(connection),
                keys=lineage.keys_of(manifest),
                references=lineage.references_of(manifest),
                known_hashes=builds.hashes(connection),
                also=[
                    *attribution.records(
                        connection,
                        self.settings,
                        self.final,
                        self.options,
                        run_id=self.run_id,
                        as_of=self.as_of,
                    ),
                    *posted,
                    *recommender_choices.records(
                        self.choices, self.choices_after(connection), self.as_of
                    ),
                ],
            )
            builds.record_hashes(
                connection,
                {(t.schema, t.table): (t.rows, t.content_hash) for t in self.published.tables},
            )
        self.tell(progress.Event("publish", self.published.version, "published", done=True))
        return self.published
