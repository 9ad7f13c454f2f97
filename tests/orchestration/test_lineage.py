"""What the dbt manifest says about marts."""

from typing import Any

from orchestration import lineage
from orchestration.lineage import keys_of

ORDERS, LINES, STAGED = "model.p.core__orders", "model.p.core__lines", "model.p.stg__orders"


def model(schema: str, name: str) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "schema": schema,
        "alias": name.rpartition("__")[2],
        "name": name,
    }


def about(
    node: str, name: str, kind: str, columns: list[str], where: str | None = None
) -> dict[str, Any]:
    column = columns[0] if kind == "unique" else None
    return {
        "resource_type": "test",
        "name": name,
        "attached_node": node,
        "column_name": column,
        "test_metadata": {"name": kind, "kwargs": {"columns": columns}},
        "config": {"where": where},
    }


def test_a_marts_key_is_what_its_own_key_test_is_about() -> None:
    tests = [
        about(LINES, "a_touch_is_in_one_line", "unique_key", ["touch"]),
        about(LINES, "core__lines_key_is_unique", "unique_key", ["order_id", "line"]),
        about(ORDERS, "live_ones", "unique", ["code"], where="live"),
        about(ORDERS, "unique_orders_order_id", "unique", ["order_id"]),
        about(ORDERS, "rows", "valid_rows", ["n"]),
        about(STAGED, "stg__orders_key_is_unique", "unique_key", ["order_id"]),
    ]
    models = {
        ORDERS: model("core", "core__orders"),
        LINES: model("core", "core__lines"),
        STAGED: model("staging", "stg__orders"),
        "model.p.core__days": model("core", "core__days"),
    }
    nodes = {**models, **{f"test.p.{test['name']}": test for test in tests}}
    assert keys_of({"nodes": nodes}) == {
        ("core", "orders"): ["order_id"],
        ("core", "lines"): ["order_id", "line"],
    }


def test_the_marts_that_a_marts_columns_name_are_what_its_reference_tests_are_about() -> None:
    def names(node: str, column: str, to: str, field: str) -> dict[str, Any]:
        reference = {"column": column, "to": f"{{{{ ref('{to}') }}}}", "field": field}
        test = about(node, f"{node}.{column}", "references_hold", [])
        test["test_metadata"]["kwargs"] = {"key": ["n"], "references": [reference]}
        return test

    tests = [
        names(LINES, "order_id", "core__orders", "order_id"),
        names(LINES, "ordered_on", "core__days", "date_day"),
        names(LINES, "kind", "int__kinds", "kind"),
        names(STAGED, "customer_id", "core__orders", "customer_id"),
    ]
    models = {
        ORDERS: model("core", "core__orders"),
        LINES: model("core", "core__lines"),
        STAGED: model("staging", "stg__orders"),
        "model.p.core__days": model("core", "core__days"),
        "model.p.int__kinds": model("intermediate", "int__kinds"),
    }
    nodes = {**models, **{f"test.p.{test['name']}": test for test in tests}}
    assert lineage.references_of({"nodes": nodes}) == {
        ("core", "lines"): [
            ("order_id", ("core", "orders"), "order_id"),
            ("ordered_on", ("core", "days"), "date_day"),
        ]
    }


def test_a_node_that_dbt_did_not_come_to_is_named() -> None:
    def node(name: str, kind: str = "model", materialized: str = "table") -> dict[str, Any]:
        return {"name": name, "resource_type": kind, "config": {"materialized": materialized}}

    made = [node("built"), node("skipped"), node("missing", "test")]
    never = [node("inlined", materialized="ephemeral"), node("read", "analysis")]
    manifest = {"nodes": {document["name"]: document for document in [*made, *never]}}
    results = [
        {"unique_id": "built", "status": "success"},
        {"unique_id": "skipped", "status": "skipped"},
    ]
    asked = {*manifest["nodes"], "raw.orders"}
    assert lineage.without_result(manifest, asked, results) == ["missing", "skipped"]
