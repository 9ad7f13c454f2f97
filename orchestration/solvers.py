"""Run dbt and, between its two calls, the solvers, on the build database of a run."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

from extractors.errors import AuditError, SourceError, storage_error
from orchestration import (
    attribution,
    dbt,
    ledger,
    lineage,
    pair_counts,
    progress,
    raw_columns,
    recommendations,
    solved,
    sources,
    staleness,
)
from orchestration.pipeline import Pipeline
from warehouse.publish import audit, final_weights


def build(
    pipeline: Pipeline,
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    translator: DagsterDbtTranslator,
    nodes: Collection[str],
) -> Iterator[Any]:
    """Build and test these nodes in one dbt call, or in none where there is nothing to build.

    AuditError names the failed tests, their rows and the loads to blame.
    """
    assert pipeline.as_of is not None
    arguments = staleness.selection(manifest, nodes)
    if not arguments:
        pipeline.built(manifest, nodes)
        return
    part = "before the solvers" if nodes == pipeline.plan.before else "after them"
    pipeline.tell(progress.Event("build", "dbt", f"building the models {part}"))
    pipeline.release()
    yield from dbt.build(
        pipeline.settings,
        pipeline.held,
        arguments,
        pipeline.as_of,
        manifest=manifest,
        translator=translator,
        context=context,
    )
    results = dbt.run_results(pipeline.settings)
    failed = lineage.failed_tests(manifest, results)
    if failed:
        said = "\n".join(test.message for test in failed)
        if storage := storage_error(said, pipeline.settings.home):
            raise storage
        keys = sources.raw_keys(pipeline.settings)
        with pipeline.database() as connection:
            lines = [audit.explain(connection, test, keys) for test in failed]
            lines += raw_columns.explain(connection, manifest, results)
        raise AuditError("the audit failed, the published version stays:\n" + "\n".join(lines))
    if missing := lineage.without_result(manifest, nodes, results):
        raise SourceError(
            f"dbt was ended before it had built {', '.join(missing[:3])}"
            f"{' …' if len(missing) > 3 else ''} ({len(missing)} models and tests); run again"
        )
    pipeline.built(manifest, nodes)
    pipeline.tell(
        progress.Event(
            "build",
            "dbt",
            f"{len(results)} models and tests passed",
            done=True,
        )
    )


def solve(pipeline: Pipeline, manifest: Mapping[str, Any], name: str) -> int | None:
    """Write the table `solved.<name>` where it has to be made again; return its row count."""
    assert pipeline.now is not None
    assert pipeline.as_of is not None
    nodes = {table: node for node, table in lineage.solved_sources(manifest).items()}
    if nodes[name] not in pipeline.plan.solved:
        return None
    with pipeline.database() as connection:
        if name in ledger.SOLVED:
            terms = ledger.Terms(
                pipeline.as_of,
                pipeline.settings.now(),
                pipeline.settings.warehouse.reporting_time_zone,
                pipeline.kept.closed_through,
                pipeline.run_id,
            )
            rows = ledger.solve(connection, name, terms)
        elif name in pair_counts.SOLVED:
            rows = pair_counts.solve(connection, name)
        elif name in recommendations.SOLVED:
            rows = recommendations.solve(connection, name, pipeline.choices)
        else:
            kept = attribution.to_keep(pipeline.final, pipeline.options)
            rows = solved.write(connection, name, kept)
        if name == "channel_weights":
            after = attribution.months_after(
                connection,
                pipeline.settings,
                pipeline.final.months,
                pipeline.options.restated,
                pipeline.as_of,
            )
            texts = {**pipeline.now.kept, name: final_weights.digest(after)}
            pipeline.now = replace(pipeline.now, kept=texts)
        if name == recommendations.EVALUATION:
            texts = {
                **pipeline.now.kept,
                **recommendations.texts(pipeline.choices_after(connection)),
            }
            pipeline.now = replace(pipeline.now, kept=texts)
    pipeline.built(manifest, [nodes[name]])
    return rows
