"""No published list holds what may not be recommended, and each is made again when it has to be."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from orchestration import lineage, recommendations, staleness
from orchestration.staleness import Now
from tests.dbt.build import Build

pytestmark = pytest.mark.slow

# Each test, the tables that it reads (schema and name), and a row of the list that it is about.
RELATED = "assert_related_products_may_be_recommended"
RECOMMENDED = "assert_customer_recommendations_may_be_shown"
READ = {
    RELATED: ("recommendation.related_products", "intermediate.int_recommendation__products"),
    RECOMMENDED: (
        "recommendation.customer_recommendations",
        "intermediate.int_recommendation__products",
        "intermediate.int_recommendation__customer_exclusions",
    ),
}
PLANTED = {
    RELATED: "insert into related_products (product_id, rank, related_product_id)"
    " values ('p9', 21, 'planted')",
    RECOMMENDED: "insert into customer_recommendations (customer_id, rank, product_id)"
    " values ('c9', 21, 'planted')",
}
OFFERED = (
    "insert into int_recommendation__products (product_id, is_recommendable, exclusion)"
    " values ('planted', {})"
)
BARRED = "insert into int_recommendation__customer_exclusions values ('{}', 'planted', '{}')"


@pytest.fixture
def tables(small_shop: Build) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection with copies of the tables to change."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{small_shop.database}' as build (read_only)")
        for name in sorted({table for tables in READ.values() for table in tables}):
            connection.execute(f"create table {name.split('.')[1]} as from build.{name}")
        yield connection


def exclusions(build: Build, connection: duckdb.DuckDBPyConnection, test: str) -> list[str]:
    """Return why the rows that a test finds should not be there."""
    [path] = (build.target / "compiled").rglob(f"{test}.sql")
    query = path.read_text(encoding="utf-8")
    for table in READ[test]:
        schema, name = table.split(".")
        query = query.replace(f'"build"."{schema}"."{name}"', name)
    return [row[0] for row in connection.sql(f"select exclusion from ({query})").fetchall()]


@pytest.mark.parametrize("test", READ)
def test_the_lists_hold_what_may_be_recommended(
    small_shop: Build, tables: duckdb.DuckDBPyConnection, test: str
) -> None:
    assert len(tables.sql("from related_products").fetchall()) > 10
    assert exclusions(small_shop, tables, test) == []
    tables.execute(OFFERED.format("true, null"))
    tables.execute(BARRED.format("c8", "bought"))
    tables.execute(PLANTED[test])
    assert exclusions(small_shop, tables, test) == []


@pytest.mark.parametrize("test", READ)
@pytest.mark.parametrize("why", ["inactive", "out_of_stock", "blocked_category"])
def test_what_may_be_recommended_to_nobody_is_found_in_every_list(
    small_shop: Build, tables: duckdb.DuckDBPyConnection, test: str, why: str
) -> None:
    tables.execute(OFFERED.format(f"false, '{why}'"))
    tables.execute(PLANTED[test])
    assert exclusions(small_shop, tables, test) == [why]


@pytest.mark.parametrize("test", READ)
def test_what_is_not_in_the_catalogue_is_found_in_every_list(
    small_shop: Build, tables: duckdb.DuckDBPyConnection, test: str
) -> None:
    tables.execute(PLANTED[test])
    assert exclusions(small_shop, tables, test) == ["not_in_the_catalogue"]


@pytest.mark.parametrize("why", ["bought", "returned"])
def test_what_a_customer_bought_or_returned_is_found_in_their_list(
    small_shop: Build, tables: duckdb.DuckDBPyConnection, why: str
) -> None:
    tables.execute(OFFERED.format("true, null"))
    tables.execute(BARRED.format("c9", why))
    tables.execute(PLANTED[RECOMMENDED])
    assert exclusions(small_shop, tables, RECOMMENDED) == [why]


NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WITH_CHOICE = {"recommender_evaluation", "related_products", "customer_recommendations"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, set[str]()),
        ({"kept": {"recommender_evaluation": "another choice"}}, WITH_CHOICE),
        ({"as_of": NOON + timedelta(days=1)}, WITH_CHOICE),
        ({"as_of": NOON + timedelta(hours=1)}, set[str]()),
        (
            {"changes": {("shop", "inventory_movements"): "moved"}},
            {"related_products", "customer_recommendations"},
        ),
        ({"changes": {("activity", "product_events"): "seen"}}, set(recommendations.SOLVED)),
        ({"changes": {("shop", "order_lines"): "bought"}}, set(recommendations.SOLVED)),
        ({"changes": {("shop", "users"): "left"}}, set(recommendations.SOLVED)),
        ({"changes": {("shop", "ad_spend"): "spent"}}, set[str]()),
    ],
)
def test_lists_are_made_again_when_what_they_are_made_of_changed_and_not_otherwise(
    small_shop: Build, changed: dict[str, Any], expected: set[str]
) -> None:
    manifest = small_shop.manifest()
    now = Now("models", {}, NOON, {}, ZoneInfo("Europe/London"))
    nodes = {*manifest["nodes"], *manifest["sources"]}
    built = {record.node: record for record in staleness.to_record(manifest, nodes, now)}
    plan = staleness.plan(manifest, built, replace(now, **changed))
    tables = lineage.solved_sources(manifest)
    assert {tables[node] for node in plan.solved} & set(recommendations.SOLVED) == expected
