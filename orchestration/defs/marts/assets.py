"""The dbt models as assets: one dbt call before the solvers, one after."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets

from orchestration import dbt, lineage, solvers
from orchestration.pipeline import Pipeline


class TableKeys(DagsterDbtTranslator):
    """Names an asset like the table that it makes: `campaign/attribution`."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        name = dbt_resource_props.get("alias") or dbt_resource_props["identifier"]
        return dg.AssetKey([dbt_resource_props["schema"], name])


def mart_assets(manifest: Path) -> list[dg.AssetsDefinition]:
    """Return the assets of the dbt project and of the solvers."""
    translator = TableKeys(
        settings=DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True)
    )
    document: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))

    def call(
        context: dg.AssetExecutionContext, pipeline: Pipeline, arguments: tuple[str, ...]
    ) -> Iterator[Any]:
        with pipeline.step(f"build {' '.join(arguments)}"):
            yield from solvers.build(pipeline, context, document, translator, arguments)

    @dbt_assets(
        manifest=manifest,
        name="build_before_solvers",
        exclude=f"{dbt.AFTER_SOLVERS} resource_type:unit_test",
        dagster_dbt_translator=translator,
    )
    def before(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[Any]:
        if pipeline.decide():
            yield from call(context, pipeline, dbt.BEFORE_SOLVERS_ARGUMENTS)

    @dbt_assets(
        manifest=manifest,
        name="build_after_solvers",
        select=dbt.AFTER_SOLVERS,
        exclude="resource_type:unit_test",
        dagster_dbt_translator=translator,
    )
    def after(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[Any]:
        yield from call(context, pipeline, dbt.AFTER_SOLVERS_ARGUMENTS)

    @dg.asset(
        key=["solved", "refund_allocations"],
        deps=[dg.AssetKey(["intermediate", name]) for name in lineage.REFUND_INPUTS],
        group_name="core",
        kinds={"python"},
        description="One row per refund line and order line that it is allocated to.",
    )
    def refund_allocations(pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:
        with pipeline.step("solve refund allocations"):
            rows = solvers.solve_refund_allocations(pipeline)
        return dg.MaterializeResult(metadata={"dagster/row_count": rows})

    is_solved = any(source["schema"] == "solved" for source in document["sources"].values())
    return [before, refund_allocations, after] if is_solved else [before]
