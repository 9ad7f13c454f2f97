"""Run dbt and, between its two calls, the solvers, on the build database of a run."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

from analytics.refund_allocation import allocate
from extractors.errors import AuditError, SourceError, storage_error
from orchestration import dbt, lineage, progress, raw_columns, sources, staleness
from orchestration.lineage import REFUND_INPUTS
from orchestration.pipeline import Pipeline
from warehouse.engines import duckdb_engine
from warehouse.publish import audit


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


def solve_refund_allocations(pipeline: Pipeline, manifest: Mapping[str, Any]) -> int:
    """Allocate refunds to order lines, write `solved.refund_allocations`, return its row count."""
    with pipeline.database() as connection:
        refunds, lines = (
            connection.table(f"intermediate.{name}").to_arrow_table() for name in REFUND_INPUTS
        )
        solved = allocate(refunds, lines)
        with duckdb_engine.transaction(connection):
            connection.execute("CREATE SCHEMA IF NOT EXISTS solved")
            connection.register("solved_rows", solved)
            connection.execute(
                "CREATE OR REPLACE TABLE solved.refund_allocations AS SELECT * FROM solved_rows"
            )
        connection.unregister("solved_rows")
    pipeline.built(manifest, pipeline.plan.solved)
    return solved.num_rows
