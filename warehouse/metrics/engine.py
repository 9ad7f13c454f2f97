"""Let MetricFlow say the SQL of a metric; it sees no database.

MetricFlow divides as floats. Here a ratio comes back as its two exact parts, which `answers`
divides.

What is `paid_by` spend is asked by campaign, and those without any are left out before campaigns
are summed: what free channels bring is no return on spend.
"""

from typing import Any, NoReturn

from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlExpressionRenderer, DuckDbSqlPlanRenderer
from metricflow.sql.render.expr_renderer import SqlExpressionRenderResult
from metricflow_semantic_interfaces.implementations.semantic_manifest import (
    PydanticSemanticManifest,
)
from metricflow_semantic_interfaces.transformations.semantic_manifest_transformer import (
    PydanticSemanticManifestTransformer,
)
from metricflow_semantics.errors.error_classes import MetricFlowException
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from extractors.errors import ConfigError
from extractors.naming import literal, quoted
from warehouse.metrics.definitions import GRAINS, Definitions, Metric
from warehouse.metrics.questions import Question

# What is paid for, and by which names MetricFlow knows it is each metric's own.
CAMPAIGN = ("channel", "campaign_id")


class _Expressions(DuckDbSqlExpressionRenderer):
    """Expressions of DuckDB, with ratios in two parts."""

    def visit_ratio_computation_expr(self, node: Any) -> SqlExpressionRenderResult:
        above, below = (self.render_sql_expr(part) for part in (node.numerator, node.denominator))
        return SqlExpressionRenderResult(
            sql=f"struct_pack(above := {above.sql}, below := {below.sql})",
            bind_parameter_set=above.bind_parameter_set.merge(below.bind_parameter_set),
        )


class _Plans(DuckDbSqlPlanRenderer):
    EXPR_RENDERER = _Expressions()


class _NoDatabase:
    """What MetricFlow asks of a database, which is only how to write SQL."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = _Plans()

    def query(self, *_: object) -> NoReturn:
        """Refuse: what is asked is asked by us, of a published version."""
        raise RuntimeError("MetricFlow only writes SQL here; a published version answers it")

    execute = dry_run = query

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def render_bind_parameter_key(self, bind_parameter_key: str) -> str:
        """Return how DuckDB names a parameter."""
        return f"${bind_parameter_key}"


class Engine:
    """Writes the SQL of questions to the metrics of one project."""

    def __init__(self, definitions: Definitions) -> None:
        models, spines = (
            [{**one, "node_relation": _published(one["node_relation"])} for one in part]
            for part in (
                definitions.manifest["semantic_models"],
                definitions.manifest["time_spines"],
            )
        )
        manifest = PydanticSemanticManifest.parse_obj(
            {
                "metrics": definitions.manifest["metrics"],
                "semantic_models": models,
                "project_configuration": {
                    "time_spine_table_configurations": [],
                    "time_spines": spines,
                },
            }
        )
        complete = PydanticSemanticManifestTransformer.transform(manifest)
        database: Any = _NoDatabase()  # takes whatever the protocol gives to methods that refuse
        self._engine = MetricFlowEngine(SemanticManifestLookup(complete), database)

    def sql(self, asked: Question, metric: Metric) -> str:
        """Return the query for one metric of a question: its groups in order, then the metric."""
        groups = [
            f"metric_time__{name}" if name in GRAINS else metric.dimensions[name]
            for name in asked.by
        ]
        campaign = [metric.dimensions[name] for name in CAMPAIGN] if metric.paid_by else []
        names = list(dict.fromkeys([*groups, *campaign]))
        request = MetricFlowQueryRequest.create(
            metric_names=[metric.name],
            group_by_names=names or None,
            where_constraints=_filters(asked, metric) or None,
        )
        try:
            sql = self._engine.explain(request).sql_statement.sql
        except MetricFlowException as error:
            raise ConfigError(f"{metric.name}: {' '.join(str(error).split())[:400]}") from None
        columns = [quoted(name) for name in groups]
        if not metric.paid_by:
            return f"SELECT {', '.join([*columns, quoted(metric.name)])} FROM (\n{sql}\n)"
        above, below = (f"{quoted(metric.name)}.{part}" for part in ("above", "below"))
        cost = above if metric.ratio_of[0] == metric.paid_by else below
        both = f"struct_pack(above := sum({above}), below := sum({below}))"
        return (
            f"SELECT {', '.join([*columns, f'{both} AS {quoted(metric.name)}'])}"
            f" FROM (\n{sql}\n)\nWHERE {cost} <> 0"
            + (f"\nGROUP BY {', '.join(columns)}" if columns else "")
        )


def _published(relation: dict[str, Any]) -> dict[str, Any]:
    """Return a relation as a published version names it: without the database it was built in."""
    name = quoted(relation["schema_name"], relation["alias"])
    return {**relation, "database": None, "relation_name": name}


def _filters(asked: Question, metric: Metric) -> list[str]:
    filters = [
        f"{{{{ Dimension('{metric.dimensions[condition.dimension]}') }}}}"
        f" {'NOT IN' if condition.excludes else 'IN'}"
        f" ({', '.join(literal(value) for value in condition.values)})"
        for condition in asked.where
    ]
    day = f"{{{{ TimeDimension('metric_time', '{metric.grain}') }}}}"
    filters += [f"{day} >= {literal(asked.first.isoformat())}"] if asked.first else []
    filters += [f"{day} <= {literal(asked.last.isoformat())}"] if asked.last else []
    return filters
