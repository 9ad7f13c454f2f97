"""What is built and audited is remembered until it is built again."""

from datetime import UTC, datetime

import duckdb

from warehouse.load import builds
from warehouse.load.builds import Built

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ORDERS = Built("model.orders", ("core", "orders"), "m1", "load 1", NOON)
VIEW = Built("model.base", ("staging", "base"), "m1", "", NOON)
SOLVED = Built("source.solved", None, "m1", "", NOON)


def test_a_record_replaces_the_nodes_earlier_one(build: duckdb.DuckDBPyConnection) -> None:
    builds.record(build, [ORDERS, SOLVED])
    again = Built("model.orders", ("core", "orders"), "m2", "load 2", NOON)
    builds.record(build, [again])
    assert builds.recorded(build) == {"model.orders": again, "source.solved": SOLVED}


def test_a_hash_is_known_until_its_table_is_built_again(build: duckdb.DuckDBPyConnection) -> None:
    builds.record(build, [ORDERS, VIEW])
    builds.record_hashes(build, {("core", "orders"): (3, "abc")})
    assert builds.hashes(build) == {("core", "orders"): (3, "abc")}
    builds.forget(build, ["model.orders"])
    assert builds.hashes(build) == {}
    builds.record(build, [ORDERS])
    assert builds.hashes(build) == {}


def test_the_tables_of_models_that_are_gone_are_dropped(build: duckdb.DuckDBPyConnection) -> None:
    build.execute("CREATE SCHEMA core; CREATE TABLE core.orders (n INTEGER)")
    build.execute("CREATE SCHEMA staging; CREATE VIEW staging.base AS SELECT 1 AS n")
    build.execute("CREATE TABLE core.kept (n INTEGER)")
    kept = Built("model.kept", ("core", "kept"), "m1", "", NOON)
    builds.record(build, [ORDERS, VIEW, kept])
    assert builds.drop_gone(build, ["model.kept"]) == [("core", "orders"), ("staging", "base")]
    assert build.execute(
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema IN ('core', 'staging')"
    ).fetchall() == [("core", "kept")]
    assert list(builds.recorded(build)) == ["model.kept"]


def test_a_model_that_changed_its_name_keeps_its_table(build: duckdb.DuckDBPyConnection) -> None:
    build.execute("CREATE SCHEMA core; CREATE TABLE core.orders (n INTEGER)")
    renamed = Built("model.all_orders", ("core", "orders"), "m2", "load 1", NOON)
    builds.record(build, [ORDERS, renamed])
    assert builds.drop_gone(build, ["model.all_orders"]) == []
    assert list(builds.recorded(build)) == ["model.all_orders"]


def test_a_table_without_a_record_is_dropped_once_no_model_makes_it(
    build: duckdb.DuckDBPyConnection,
) -> None:
    build.execute("CREATE SCHEMA core; CREATE TABLE core.failed_its_audit (n INTEGER)")
    build.execute("CREATE TABLE core.orders__dbt_backup (n INTEGER)")
    build.execute("CREATE TABLE core.orders (n INTEGER)")
    build.execute("CREATE SCHEMA solved; CREATE TABLE solved.own (n INTEGER)")
    assert builds.drop_unmade(build, ["core", "campaign"], [("core", "Orders")]) == [
        ("core", "failed_its_audit"),
        ("core", "orders__dbt_backup"),
    ]
    assert build.execute(
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema IN ('core', 'solved') ORDER BY ALL"
    ).fetchall() == [("core", "orders"), ("solved", "own")]


def test_a_table_that_is_updated_in_place_stays_after_a_build_that_did_not_end(
    build: duckdb.DuckDBPyConnection,
) -> None:
    build.execute("CREATE SCHEMA core; CREATE TABLE core.orders (n INTEGER)")
    updated = {"model.orders": ("core", "orders")}
    builds.record(build, [ORDERS, VIEW])
    builds.record_hashes(build, {("core", "orders"): (3, "abc")})
    builds.forget(build, ["model.orders", "model.base"], updated)
    assert builds.hashes(build) == {}
    [unfinished] = builds.recorded(build).values()
    assert (unfinished.node, unfinished.models) == ("model.orders", "m1")
    assert unfinished.inputs not in {ORDERS.inputs, "", "[]"}
    assert builds.drop_of_others(build, updated, "m1") == []
    assert build.execute("SELECT count(*) FROM core.orders").fetchall() == [(0,)]


def test_a_table_that_is_updated_in_place_is_dropped_where_other_models_made_it_or_nobody_knows(
    build: duckdb.DuckDBPyConnection,
) -> None:
    build.execute("CREATE SCHEMA core; CREATE TABLE core.orders (n INTEGER)")
    build.execute("CREATE TABLE core.lines (n INTEGER)")
    builds.record(build, [ORDERS])
    updated = {"model.orders": ("core", "orders"), "model.lines": ("core", "lines")}
    dropped = builds.drop_of_others(build, updated, "m2")
    assert dropped == [("core", "lines"), ("core", "orders")]
    assert builds.recorded(build) == {}
    assert (
        build.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'core'"
        ).fetchall()
        == []
    )
