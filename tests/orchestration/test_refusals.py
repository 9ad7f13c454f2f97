"""What is not right is not published, and the message says which rows and which load."""

import json
import re
from collections.abc import Iterator

import duckdb
import psycopg
import pytest

from tests.demo_shops import published
from tests.shops import Shop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Yield a shop of this module's own, whose source rows the tests change."""
    with published(tmp_path_factory.mktemp("refusals")) as started:
        yield started


def source(shop: Shop) -> "psycopg.Connection[tuple[object, ...]]":
    text = (shop.directory / ".env").read_text()
    found = re.search(r"^SHOP_PRIMARY_DSN=['\"]?([^'\"\n]+)", text, re.MULTILINE)
    assert found is not None
    return psycopg.connect(found.group(1), autocommit=True)


def test_a_run_with_nothing_new_publishes_nothing_and_starts_no_dbt(shop: Shop) -> None:
    results = shop.directory / "var" / "dbt" / "target" / "run_results.json"
    built_at, before = results.stat().st_mtime_ns, shop.versions()
    result = shop.json("run")
    assert (result["published"], result["version"]) == (False, before[-1]["version"])
    assert {table["mode"] for table in result["tables"] if table["source"] == "shop"} == {
        "incremental"
    }
    assert sum(t["inserted"] + t["updated"] + t["deleted"] for t in result["tables"]) == 0
    assert results.stat().st_mtime_ns == built_at
    assert shop.versions() == before


def test_a_run_with_one_changed_table_builds_only_what_reads_it(shop: Shop) -> None:
    (before,) = shop.versions()
    with source(shop) as connection:
        connection.execute("UPDATE ad_spend SET amount = amount + 1")
    results = shop.directory / "var" / "dbt" / "target" / "run_results.json"
    assert shop.json("run")["published"] is True
    # the second call only repeats tests: no model behind the solvers reads what was spent
    built = {result["unique_id"] for result in json.loads(results.read_text())["results"]}
    assert {node.partition(".")[0] for node in built} == {"test"}
    hashes = [
        {f"{t['schema']}.{t['table']}": t["content_hash"] for t in version["tables"]}
        for version in (before, shop.current())
    ]
    changed = {table for table in hashes[0] if hashes[0][table] != hashes[1][table]}
    assert changed == {"campaign.activity_daily"}
    # and what was built in part is what a build of everything makes
    whole = shop.sibling(shop.directory / "whole")
    whole.command("run", "--as-of", shop.current()["as_of"])
    assert whole.current()["tables"] == shop.current()["tables"]


def test_every_column_of_the_published_marts_is_described(shop: Shop) -> None:
    assert (
        shop.query(
            "SELECT schema_name || '.' || table_name || '.' || column_name FROM duckdb_columns()"
            " WHERE schema_name IN ('core', 'campaign', 'recommendation') AND comment IS NULL"
        )
        == []
    )


def test_a_raw_cell_changed_by_hand_fails_the_next_certificate_which_names_the_range(
    shop: Shop,
) -> None:
    before = shop.versions()
    with duckdb.connect(str(shop.directory / "var" / "build.duckdb")) as build:
        (order,) = build.execute("SELECT min(order_id) FROM raw_shop.orders").fetchone() or ("",)
        build.execute("UPDATE raw_shop.orders SET status = 'x' WHERE order_id = ?", [order])
    result = shop.command("run", check=False)
    assert result.returncode == 1
    error = result.stderr.strip().splitlines()[-1]
    assert error.startswith("error: certificate failed: shop.orders: 1 rows of raw differ from")
    assert f"(order_id={order})" in error
    assert "(differing: order_id < " in error
    assert "--full-refresh shop.orders" in error
    table = next(t for t in shop.json("status")["tables"] if t["entity"] == "orders")
    assert table["certificate"]["status"] == "failed"
    assert table["certificate"]["ranges"] != []
    assert shop.versions() == before
    # nor by a run that does not read the table
    other = shop.command(
        "run", "--select", "activity", "--as-of", "2026-01-01T00:00:00Z", check=False
    )
    assert other.returncode == 1
    assert "the last certificate failed, nothing is published: shop.orders: 1 rows" in other.stderr
    assert shop.versions() == before
    repaired = shop.json("run", "--full-refresh", "shop.orders")
    changed = {t["entity"]: t["updated"] for t in repaired["tables"] if t["updated"]}
    assert changed == {"orders": 1}


def test_a_row_that_breaks_the_audit_leaves_the_version_and_is_named_with_its_load(
    shop: Shop,
) -> None:
    before = shop.versions()
    with source(shop) as connection:
        row = connection.execute(
            "UPDATE orders SET status = 'vanished' WHERE order_id ="
            " (SELECT max(order_id) FROM orders) RETURNING order_id"
        ).fetchone()
        assert row is not None
    result = shop.command("run", check=False)
    assert result.returncode == 1
    assert "the audit failed, the published version stays" in result.stderr
    landed = max((shop.directory / "var/landing/shop/main/orders").iterdir()).name
    blamed = next(line for line in result.stderr.splitlines() if str(row[0]) in line)
    assert "vanished" in blamed
    assert landed in blamed
    assert shop.versions() == before
    with source(shop) as connection:
        connection.execute("UPDATE orders SET status = 'shipped' WHERE order_id = %s", [row[0]])
    assert shop.json("run")["published"] is True
    assert shop.current()["tables"] != []


def test_a_rollback_holds_what_readers_see_until_publishing_is_resumed(shop: Shop) -> None:
    names = [version["version"] for version in shop.versions()]
    assert len(names) >= 2
    shop.command("rollback")
    assert shop.current()["version"] == names[-2]
    assert shop.json("status")["hold"] == names[-2]
    with source(shop) as connection:
        connection.execute(
            "UPDATE users SET country = 'Malta' WHERE user_id = (SELECT min(user_id) FROM users)"
        )
    assert shop.json("run")["held"] == names[-2]
    assert shop.current()["version"] == names[-2]
    shop.command("publish", "--resume")
    assert shop.current()["version"] not in names
    assert shop.json("status")["hold"] is None
