"""The dbt models as assets: one dbt call before the solvers, one after."""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets

from orchestration import lineage, solvers
from orchestration.pipeline import Pipeline
from warehouse.ledger import kept

SOLVED_GROUPS = {
    "refund_allocations": "core",
    "commission_due": "affiliate",
    "commission_proposal": "affiliate",
    "pair_counts": "recommendation",
    "basket_counts": "recommendation",
    "recommender_evaluation": "recommendation",
    "related_products": "recommendation",
    "customer_neighbours": "recommendation",
    "customer_recommendations": "recommendation",
}  # the others are of campaigns


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
        exclude=f"{lineage.AFTER_SOLVERS} resource_type:unit_test",
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
        select=lineage.AFTER_SOLVERS,
        exclude="resource_type:unit_test",
        dagster_dbt_translator=translator,
    )
    def after(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[Any]:
        yield from call(context, pipeline, pipeline.plan.after)

    tables = lineage.solved_sources(document).values()
    return [
        before,
        *(_solver(document, name) for name in sorted(tables)),
        *([after] if tables else []),
    ]


def _solver(manifest: Mapping[str, Any], name: str) -> dg.AssetsDefinition:
    """Return the asset of a table that a solver writes between the two calls of dbt."""
    [source] = [
        entry
        for entry in manifest["sources"].values()
        if (entry["schema"], entry["identifier"]) == ("solved", name)
    ]

    # What reads no model comes after those of the first call too: they decide what is built at all.
    after = lineage.solver_reads(manifest, name) or lineage.solver_reads(
        manifest, "channel_weights"
    )

    @dg.asset(
        key=["solved", name],
        deps=[dg.AssetKey([*table]) for table in after.values() if table[0] != kept.SCHEMA],
        group_name=SOLVED_GROUPS.get(name, "campaign"),
        kinds={"python"},
        description=source["description"],
    )
    def solver(pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:
        with pipeline.step(f"solve {name.replace('_', ' ')}"):
            rows = solvers.solve(pipeline, manifest, name)
        if rows is None:
            return dg.MaterializeResult(metadata={"built again": False})
        return dg.MaterializeResult(metadata={"dagster/row_count": rows})

    return solver
