"""The dbt models as assets: one dbt call before the solvers, one after."""

import json
from collections.abc import Collection, Iterator, Mapping
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
    keys = {
        identity: translator.get_asset_key(document["nodes"][identity])
        for identity in lineage.in_order(document)
    }

    def call(
        context: dg.AssetExecutionContext, pipeline: Pipeline, nodes: Collection[str]
    ) -> Iterator[Any]:
        # What is not built again counts as made: Dagster would skip what comes after it.
        for node, key in keys.items():
            if key in context.selected_asset_keys and node not in nodes:
                yield dg.MaterializeResult(asset_key=key, metadata={"built again": False})
        with pipeline.step("build " + ("after" if nodes == pipeline.plan.after else "before")):
            yield from solvers.build(pipeline, context, document, translator, nodes)

    @dbt_assets(
        manifest=manifest,
        name="build_before_solvers",
        exclude=f"{dbt.AFTER_SOLVERS} resource_type:unit_test",
        dagster_dbt_translator=translator,
    )
    def before(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[Any]:
        if pipeline.decide(document):
            yield from call(context, pipeline, pipeline.plan.before)

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
        yield from call(context, pipeline, pipeline.plan.after)

    @dg.asset(
        key=["solved", "refund_allocations"],
        deps=[dg.AssetKey(["intermediate", name]) for name in lineage.REFUND_INPUTS],
        group_name="core",
        kinds={"python"},
        description="One row per refund line and order line that it is allocated to.",
    )
    def refund_allocations(pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:
        if not pipeline.plan.solved:
            return dg.MaterializeResult(metadata={"built again": False})
        with pipeline.step("solve refund allocations"):
            rows = solvers.solve_refund_allocations(pipeline, document)
        return dg.MaterializeResult(metadata={"dagster/row_count": rows})

    is_solved = any(source["schema"] == "solved" for source in document["sources"].values())
    return [before, refund_allocations, after] if is_solved else [before]
