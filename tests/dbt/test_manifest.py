"""The project keeps its layers, says every table's grain, and holds marts to contracts."""

import re
from pathlib import Path
from typing import Any

import pytest

from orchestration.lineage import sources_of
from orchestration.replay_commissions import graph_of
from tests.dbt.build import AFTER_SOLVERS, BEFORE_SOLVERS, Build
from tests.dbt.marts_page import PAGE, page
from warehouse.ledger import currencies

pytestmark = pytest.mark.slow

Node = dict[str, Any]
KEYWORDS = {"case", "when", "then", "else", "end"}
SIDES = ("numerator", "denominator")
MONEY = ("reporting_currency", "payout_currency")
LAYERS = ("staging", "intermediate", "marts")
# What each layer may read. A mart reads no other domain's, so that none depends on another's shape;
# within its own it may sum one up, so that the two agree by construction.
MAY_READ = {
    "staging": {"source", "seed", "staging"},
    "intermediate": {"seed", "staging", "intermediate"},
    "marts": {"staging", "intermediate"},
}


@pytest.fixture(scope="module")
def manifest(small_shop: Build) -> dict[str, Any]:
    return small_shop.manifest()


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> list[Node]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def layer(unique_id: str, manifest: dict[str, Any]) -> str:
    """Return the layer of a model, else the kind of the node."""
    kind = unique_id.split(".", maxsplit=1)[0]
    return manifest["nodes"][unique_id]["fqn"][1] if kind == "model" else kind


def sums_up(model: Node, parent: Node | None) -> bool:
    """Tell whether both are marts of one domain."""
    return parent is not None and model["fqn"][1:3] == parent["fqn"][1:3] == [
        "marts",
        model["schema"],
    ]


def generic_tests(model: Node, manifest: dict[str, Any]) -> set[str]:
    """Return the names of the generic tests of a model."""
    return {
        node["test_metadata"]["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and node.get("attached_node") == model["unique_id"]
    }


def test_a_layer_reads_only_what_lies_below_it(
    models: list[Node], manifest: dict[str, Any]
) -> None:
    wrong = [
        (model["name"], parent)
        for model in models
        for parent in model["depends_on"]["nodes"]
        if layer(parent, manifest) not in MAY_READ[model["fqn"][1]]
        and not parent.startswith(
            ("source.commerce_warehouse.solved.", "source.commerce_warehouse.ledger.")
        )
        and not sums_up(model, manifest["nodes"].get(parent))
    ]
    assert wrong == []


def test_only_the_base_of_staging_reads_the_raw_tables(models: list[Node]) -> None:
    readers = [
        model["name"]
        for model in models
        for parent in model["depends_on"]["nodes"]
        if parent.startswith("source.") and not re.search(r"[.](solved|ledger)[.]", parent)
    ]
    assert readers
    assert [name for name in readers if not name.startswith("base_")] == []


def test_every_model_and_source_says_its_grain(
    models: list[Node], manifest: dict[str, Any]
) -> None:
    described = [*models, *manifest["sources"].values()]
    assert [one["name"] for one in described if not one["description"].startswith("One row")] == []


def test_marts_and_staging_have_contracts_and_described_scalar_columns(
    models: list[Node],
) -> None:
    public = [
        model for model in models if model["fqn"][1] == "marts" or model["name"].startswith("stg_")
    ]
    assert len(public) > 20
    for model in public:
        assert model["config"]["contract"]["enforced"], model["name"]
        for column in model["columns"].values():
            assert column["description"], (model["name"], column["name"])
            kind = column["data_type"].split("(")[0]
            assert kind in {
                *("bigint", "boolean", "date", "decimal", "double precision", "integer"),
                *("timestamptz", "varchar"),
            }, (model["name"], column["name"])


def test_every_staging_model_and_mart_has_a_key_test(
    models: list[Node], manifest: dict[str, Any]
) -> None:
    without = [
        model["name"]
        for model in models
        if (model["fqn"][1] == "marts" or model["name"].startswith("stg_"))
        and "unique_key" not in generic_tests(model, manifest)
    ]
    assert without == []


def test_marts_are_named_by_their_domain_which_is_their_schema(models: list[Node]) -> None:
    marts = [model for model in models if model["fqn"][1] == "marts"]
    for model in marts:
        domain = model["fqn"][2]
        assert model["name"] == f"{domain}__{model['alias']}"
        assert model["schema"] == domain
    assert {model["alias"] for model in marts} >= {
        *("orders", "order_lines", "refunds", "refund_allocations", "customers", "products"),
        *("daily_totals", "calendar", "sessions", "touchpoints", "paths"),
        *("path_touchpoints", "path_explanations"),
        *("inventory_daily", "payments", "payment_differences"),
        *("attribution", "activity_daily", "product_pairs"),
        *("related_products", "customer_neighbours", "customer_recommendations", "evaluation"),
        *("performance_daily", "performance_daily_last_touch", "funnel_daily", "audience_daily"),
        *("landing_pages_daily", "cohorts_monthly", "trends_weekly", "audience_members"),
    }


def test_no_model_reads_the_wall_clock(models: list[Node]) -> None:
    clocks = ("current_timestamp", "current_date", "now()", "getdate", "run_started_at")
    wrong = [
        model["name"]
        for model in models
        if any(clock in model["raw_code"].lower() for clock in clocks)
    ]
    assert wrong == []


def test_staging_models_are_those_of_the_shop_model(models: list[Node]) -> None:
    names = sorted(model["name"] for model in models if model["name"].startswith("stg_"))
    assert names == [
        "stg_activity__cart_events",
        "stg_activity__product_events",
        "stg_activity__searches",
        "stg_activity__trigger_sends",
        "stg_affiliate__affiliates",
        "stg_affiliate__clicks",
        "stg_affiliate__commission_plans",
        "stg_billing__payments",
        "stg_campaign__campaigns",
        "stg_campaign__events",
        "stg_campaign__spend",
        "stg_finance__fx_rates",
        "stg_shop__customers",
        "stg_shop__inventory",
        "stg_shop__inventory_movements",
        "stg_shop__order_lines",
        "stg_shop__orders",
        "stg_shop__product_prices",
        "stg_shop__products",
        "stg_shop__refunds",
    ]


def test_the_two_calls_run_every_node_exactly_once(
    small_shop: Build, manifest: dict[str, Any]
) -> None:
    before = small_shop.listed(*BEFORE_SOLVERS)
    after = small_shop.listed(*AFTER_SOLVERS)
    every = [
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"model", "seed", "test"}
    ]
    assert sorted([*before, *after]) == sorted(every)
    assert {"core__orders", "campaign__attribution"} <= set(after)
    assert {"core__customers", "int_core__refunds_to_allocate"} <= set(before)


def test_a_mart_is_held_back_by_no_source_but_its_own(manifest: dict[str, Any]) -> None:
    read = {
        f"{schema}.{name}": {source for source, _ in tables}
        for (schema, name), tables in sources_of(manifest).items()
    }
    assert {name for name, sources in read.items() if sources == {"shop"}} >= {
        *("core.orders", "core.order_lines", "core.refunds", "core.refund_allocations"),
        *("core.customers", "core.products", "core.daily_totals", "core.inventory_daily"),
        "campaign.audience_members",
    }
    assert {name for name, sources in read.items() if "activity" in sources} >= {
        *("core.sessions", "campaign.touchpoints", "campaign.attribution"),
        "campaign.activity_daily",
    }


def test_an_id_that_the_shop_does_not_know_fails_no_mart_of_what_visitors_did(
    manifest: dict[str, Any],
) -> None:
    of_visitors = (
        *("affiliate__clicks", "core__sessions", "campaign__touchpoints"),
        "recommendation__interactions",
    )
    fails = {
        (mart, reference["column"])
        for mart in of_visitors
        for node in manifest["nodes"].values()
        if node["name"] == f"{mart}_references_hold"
        for reference in node["test_metadata"]["kwargs"]["references"]
    }
    assert fails == {
        ("affiliate__clicks", "click_date"),
        ("core__sessions", "session_date"),
        ("campaign__touchpoints", "session_id"),
        ("campaign__touchpoints", "touch_date"),
        ("recommendation__interactions", "order_id"),
        ("recommendation__interactions", "session_id"),
    }


def test_every_macro_of_ours_says_what_it_gives(manifest: dict[str, Any]) -> None:
    ours = [
        macro
        for macro in manifest["macros"].values()
        if macro["package_name"] == "commerce_warehouse"
        # an engine's way of saying a macro is described by the macro
        and not macro["name"].startswith(("default__", "redshift__"))
    ]
    assert [macro["name"] for macro in ours if not macro["description"]] == []


def test_the_reference_page_says_what_the_models_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_notebook_and_the_guide_are_exposures_that_name_what_they_read(
    manifest: dict[str, Any], models: list[Node], repository: Path
) -> None:
    exposures = {one["name"]: one for one in manifest["exposures"].values()}
    readers = {
        "start_here": repository / "notebooks" / "start_here.ipynb",
        "read_the_marts": repository / "docs" / "how-to" / "read-the-marts.md",
        "campaign_notebook": repository / "notebooks" / "campaign.ipynb",
        "campaign_questions": repository / "docs" / "campaign.md",
        "affiliate_notebook": repository / "notebooks" / "affiliate.ipynb",
        "affiliate_questions": repository / "docs" / "affiliate.md",
        "recommendation_notebook": repository / "notebooks" / "recommendation.ipynb",
        "recommendation_questions": repository / "docs" / "recommendation.md",
        "recommendation_exports": repository / "warehouse" / "export" / "neptune.py",
        "audience_export": repository / "warehouse" / "export" / "audience.py",
    }
    pages = {
        f"{page}_report": sorted((repository / "warehouse" / "report").glob(f"{page}*.py"))
        for page in ("overview", "campaign", "affiliate", "recommendation")
    }
    marts = {
        f"{model['schema']}.{model['alias']}": model["unique_id"]
        for model in models
        if model["fqn"][1] == "marts"
    }
    for name, paths in {**{name: [path] for name, path in readers.items()}, **pages}.items():
        text = "".join(path.read_text(encoding="utf-8") for path in paths)
        read = {marts.get(table) for table in re.findall(r"(?:from|join) (\w+[.]\w+)", text)}
        assert read & set(marts.values()), name
        assert read & set(marts.values()) <= set(exposures[name]["depends_on"]["nodes"]), name


def test_a_replay_makes_again_what_lies_between_the_plans_and_what_is_due(
    manifest: dict[str, Any],
) -> None:
    graph = graph_of(manifest)
    nodes = {**manifest["nodes"], **manifest["sources"]}
    again = [nodes[node]["name"] for node in graph.models]
    given = [nodes[node]["name"] for node in graph.given]
    assert again[-1] == "int_affiliate__commissions"
    assert again.index("int_affiliate__terms") < again.index("int_affiliate__order_windows")
    assert {"int_affiliate__judged_clicks", "refund_allocations", "statements"} <= {*given}
    assert "stg_affiliate__commission_plans" in given
    # nothing that is made again is shown as it was built, nor what comes after it
    assert not {*again} & {*given}
    assert "commission_due" not in given


def test_currencies_without_cents_are_the_same_in_models_and_ledger(repository: Path) -> None:
    macro = (repository / "dbt_project" / "macros" / "rounded_money.sql").read_text()
    assert re.findall(r"'([A-Z]{3})'", macro) == [*currencies.WHOLE]


def test_measures_and_dimensions_are_columns_and_a_metric_never_sums_over_models(
    manifest: dict[str, Any],
) -> None:
    """dbt checks neither: a column that is gone would be told by the first question of a user."""
    sums = dict[str, str]()
    for semantic in manifest["semantic_models"].values():
        [model] = semantic["depends_on"]["nodes"]
        columns = manifest["nodes"][model]["columns"].keys()
        parts = [*semantic["dimensions"], *semantic["measures"], *semantic["entities"]]
        for part in parts:
            # what an expression compares with is in quotation marks; keywords are no columns
            words = re.findall(r"[a-z_]+", re.sub("'.*?'", "", part["expr"] or part["name"]))
            assert set(words) - KEYWORDS <= columns, (semantic["name"], part["name"])
        sums |= {measure["name"]: model.rpartition(".")[2] for measure in semantic["measures"]}
    simple = {
        name: sums[metric["type_params"]["measure"]["name"]]
        for metric in manifest["metrics"].values()
        if metric["type"] == "simple"
        for name in [metric["name"]]
    }
    by_model = {name for name, table in simple.items() if table == "campaign__performance_daily"}
    assert {name for name in simple if name.startswith("model_")} == by_model
    assert simple["orders"] == "campaign__performance_daily_last_touch"


def test_every_metric_says_what_it_is_its_unit_and_what_it_must_not_be_summed_over(
    manifest: dict[str, Any],
) -> None:
    metrics = {one["name"]: one for one in manifest["metrics"].values()}
    tables = {
        measure["name"]: semantic["depends_on"]["nodes"][0].rpartition(".")[2]
        for semantic in manifest["semantic_models"].values()
        for measure in semantic["measures"]
    }
    names = list[str]()
    for name, metric in metrics.items():
        meta = metric["config"]["meta"]
        assert metric["description"].endswith("."), name
        assert metric["label"], name
        names += [name, *([meta["short"].lower()] if "short" in meta else [])]
        # a ratio of two sums of one table: no join, and no other kind that could count twice
        parameters = metric["type_params"]
        parts = [metrics[parameters[side]["name"]] for side in SIDES if metric["type"] == "ratio"]
        sums = parts or [metric]
        assert [part["type"] for part in sums] == ["simple"] * len(sums), name
        read = {tables[part["type_params"]["measure"]["name"]] for part in sums}
        assert len(read) == 1, name
        assert meta["unit"] in ({"ratio", *MONEY} if parts else {"count", *MONEY}), name
        if read == {"campaign__performance_daily"}:
            assert meta["needs"] == "attribution_model", name
        if {part["config"]["meta"]["unit"] for part in sums} & {"payout_currency"}:
            assert meta["needs"] == "currency", name
    assert len(names) == len(set(names))
    assert {"roas", "cac", "aov", "conversion_rate", "net_revenue"} <= set(names)
