"""A failure that comes from a changed column of raw names source, table, column and types."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import dbt, raw_columns
from warehouse import config
from warehouse.engines import duckdb_engine

STAGING = "model.p.stg_shop__orders"
MART = "model.p.core__orders"
TEST = "test.p.not_null"


def node(name: str, code: str, *folder: str, kind: str = "model") -> dict[str, Any]:
    path = f"models/{'/'.join(folder)}/{name}.sql"
    fqn = ["p", *folder, name]
    return {"name": name, "resource_type": kind, "fqn": fqn, "raw_code": code} | {
        "original_file_path": path
    }


MANIFEST: dict[str, Any] = {
    "nodes": {
        "model.p.base_shop__orders": node("base_shop__orders", "select *", "staging", "shop"),
        STAGING: node("stg_shop__orders", "cast(total as decimal)", "staging", "shop"),
        "model.p.stg_shop__users": node("stg_shop__users", "total", "staging", "shop"),
        MART: node("core__orders", "select total", "marts"),
        TEST: node("not_null", "", kind="test"),
    },
    "sources": {
        "source.p.orders": {"schema": "raw_shop", "identifier": "orders"},
        "source.p.users": {"schema": "raw_shop", "identifier": "users"},
    },
    "parent_map": {
        "model.p.base_shop__orders": ["source.p.orders"],
        STAGING: ["model.p.base_shop__orders"],
        "model.p.stg_shop__users": ["source.p.users"],
        MART: [STAGING],
        TEST: [STAGING],
    },
}


def failed(node: str, message: str = "", status: str = "error") -> list[dict[str, str]]:
    return [{"unique_id": node, "status": status, "message": message}]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb_engine.build_database(tmp_path / "build.duckdb") as connection:
        connection.execute(
            "CREATE SCHEMA raw_shop; CREATE TABLE raw_shop.orders (order_id VARCHAR, total VARCHAR)"
        )
        yield connection


def add(
    database: duckdb.DuckDBPyConnection, column: str, change: str, old: str, new: str | None
) -> None:
    database.execute(
        "INSERT INTO meta.schema_changes VALUES ('shop', 'Orders', 'orders', ?, ?, ?, ?, '0197',"
        " now(), NULL)",
        [column, change, old, new],
    )
    database.execute(
        "INSERT INTO meta.columns VALUES ('shop', 'orders', ?, '', 'Total', '', ['main'])", [column]
    )


WHERE = "models/staging/shop/stg_shop__orders.sql"


@pytest.mark.parametrize("place", [STAGING, MART, TEST])
@pytest.mark.parametrize(
    ("change", "old", "new", "line"),
    [
        (
            "widened",
            "DECIMAL(10,2)",
            "VARCHAR",
            "was DECIMAL(10,2) and is VARCHAR since load 0197 (column Total of shop.Orders; cast it"
            f" in {WHERE}, or take the change back at the source)",
        ),
        (
            "removed",
            "BIGINT",
            None,
            "was BIGINT and is NULL in what was read since load 0197 (the source has no column"
            f" Total of shop.Orders any more; add it there again, or rewrite {WHERE})",
        ),
        (
            "refused",
            "BIGINT",
            "DATE",
            "is BIGINT; load 0197 brought DATE (column Total of shop.Orders: take the change back"
            " at the source)",
        ),
    ],
)
def test_a_changed_column_that_a_failed_node_reads_is_named(
    place: str,
    change: str,
    old: str,
    new: str | None,
    line: str,
    database: duckdb.DuckDBPyConnection,
) -> None:
    add(database, "total", change, old, new)
    add(database, "unused", change, old, new)
    assert raw_columns.explain(database, MANIFEST, failed(place)) == [
        f"stg_shop__orders: raw_shop.orders.total {line}"
    ]
    assert raw_columns.explain(database, MANIFEST, failed("model.p.stg_shop__users")) == []
    assert raw_columns.explain(database, MANIFEST, failed(place, status="success")) == []


def test_a_column_that_raw_never_had_is_named_with_what_to_do(
    database: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(duckdb.BinderException) as found:
        database.execute("SELECT vat FROM raw_shop.orders")
    (line,) = raw_columns.explain(database, MANIFEST, failed(STAGING, str(found.value)))
    assert line.startswith("stg_shop__orders: raw_shop.orders has no column vat; add it at")
    assert raw_columns.explain(database, MANIFEST, failed(MART, str(found.value))) == []


def test_the_models_of_a_column_are_known_once_the_project_was_parsed(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.yml"
    file.write_text(
        "sources: {s: {kind: postgres, dsn: 'postgresql://a@127.0.0.1:1/b',"
        " tables: {t: {key: [a]}}}}"
    )
    settings = config.load(file)
    models = raw_columns.models_using(settings)
    assert models("shop", "orders", "total") is None
    path = dbt.manifest_file(settings)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(MANIFEST))
    assert models("shop", "orders", "total") == ["stg_shop__orders"]
    assert models("shop", "orders", "tot") == []
