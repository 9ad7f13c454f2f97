"""What is not right is not published and named; what is published is explained by `diff`."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from tests.demo_shops import published
from tests.shops import Shop, without_history

pytestmark = [pytest.mark.slow, pytest.mark.drill]


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
    # Behind the solvers, only what reads what was spent was built, and what reads the version that
    # was published meanwhile; the tests are all repeated.
    built = {result["unique_id"] for result in json.loads(results.read_text())["results"]}
    models = {node for node in built if node.startswith("model.")}
    manifest = json.loads(results.with_name("manifest.json").read_text())
    readers = descendants(manifest, "source.commerce_warehouse.raw_shop.ad_spend")
    assert "model.commerce_warehouse.campaign__performance_daily" in models
    kept = (
        *("solved.campaign_figures", "solved.commission_due", "solved.commission_proposal"),
        "ledger.entries",
    )
    meanwhile = {
        node for one in kept for node in descendants(manifest, f"source.commerce_warehouse.{one}")
    }
    assert models <= readers | meanwhile
    assert "model.commerce_warehouse.core__refund_allocations" not in readers
    hashes = [
        {f"{t['schema']}.{t['table']}": t["content_hash"] for t in version["tables"]}
        for version in (before, shop.current())
    ]
    changed = {table for table in hashes[0] if hashes[0][table] != hashes[1][table]}
    assert changed >= {"campaign.activity_daily", "campaign.performance_daily"}
    assert {name.partition(".")[0] for name in changed} == {"campaign"}
    # and what was built in part is what a build of everything makes
    whole = shop.sibling(shop.directory / "whole")
    whole.command("run", "--as-of", shop.current()["as_of"])
    assert without_history(whole.current()) == without_history(shop.current())


def descendants(manifest: dict[str, Any], node: str) -> set[str]:
    """Return all nodes that read a node, directly or through others."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        new = {*manifest["child_map"][waiting.pop()]} - found
        found |= new
        waiting += new
    return found


def test_dbt_parses_the_whole_project_once(shop: Shop) -> None:
    log = (shop.directory / "var" / "logs" / "dbt.log").read_text(encoding="utf-8")
    assert log.count("Running with dbt") > 2
    assert log.count("Unable to do partial parsing") <= 1


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


def test_a_diff_explains_a_corrected_refund_a_changed_price_and_a_late_order_to_the_cent(
    shop: Shop,
) -> None:
    before = shop.current()["version"]
    with source(shop) as connection:
        (refund, product, unit_price) = connection.execute(
            "UPDATE refunds SET quantity = quantity - 1, amount = amount - unit_price"
            " WHERE refund_id = (SELECT min(refund_id) FROM refunds WHERE quantity > 1"
            " AND currency = 'GBP' AND user_id IS NULL AND amount = quantity * unit_price)"
            " RETURNING refund_id, product_id, unit_price"
        ).fetchone() or ("", "", Decimal(0))
        connection.execute(
            "UPDATE product_prices SET price = price + 0.15 WHERE (product_id, valid_from) ="
            " (SELECT product_id, max(valid_from) FROM product_prices"
            " WHERE product_id = %s AND valid_from <= '2026-03-31 23:00+00' GROUP BY product_id)",
            [product],
        )
        connection.execute(
            "INSERT INTO orders (order_id, user_id, ordered_at, status, country, currency) VALUES"
            " ('late', NULL, '2026-02-14 10:00+00', 'shipped', 'Malta', 'GBP')"
        )
        connection.execute(
            "INSERT INTO order_lines"
            " (order_line_id, order_id, product_id, quantity, unit_price, entered_at) VALUES"
            " ('late-1', 'late', %s, 3, 5.765, '2026-02-14 10:00+00'),"
            " ('late-2', 'late', 'POST', 1, 18, '2026-02-14 10:00+00')",
            [product],
        )
    after = shop.json("run")["version"]
    found = {m["mart"]: m for m in shop.json("diff", before, after, "--rows", "50")["marts"]}
    changes = {
        mart: {
            amount["column"]: Decimal(amount["change"])
            for amount in entry["difference"]["amounts"]
            if Decimal(amount["change"])
        }
        for mart, entry in found.items()
        if entry["status"] == "different" and mart.startswith("core.")
    }
    less, late = Decimal(str(unit_price)), Decimal("35.295")
    assert changes["core.refunds"] == {"quantity": -1, "amount": -less}
    assert changes["core.orders"] == {
        "product_amount": Decimal("17.295"),
        "shipping_amount": 18,
        "gross_revenue": late,
        "net_revenue": late,
    }
    assert changes["core.daily_totals"] == {
        "order_count": 1,
        "line_count": 2,
        "gross_revenue": late,
        "refunded_amount": -less,
        "net_revenue": late + less,
    }
    assert changes["core.products"]["current_price"] == Decimal("0.15")
    assert found["core.refunds"]["difference"]["rows"][0]["key"] == {"refund_id": refund}
    assert found["core.calendar"]["status"] == found["core.payments"]["status"] == "identical"
    folder = shop.directory / "var" / "published"
    assert found == by_plain_sql(folder / f"{before}.duckdb", folder / f"{after}.duckdb", found)


def by_plain_sql(one: Path, other: Path, found: dict[str, Any]) -> dict[str, Any]:
    """Return what `diff` found, with its counts and amounts put in by plain queries."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{one}' AS a (READ_ONLY); ATTACH '{other}' AS b (READ_ONLY)")

        def ask(query: str) -> Any:
            return (connection.execute(query).fetchone() or (None,))[0]

        def total(version: str, mart: str, column: str, where: str = "true") -> Decimal:
            return Decimal(ask(f"SELECT sum({column}) FROM {version}.{mart} WHERE {where}") or 0)

        result: dict[str, Any] = {}
        for mart, entry in found.items():
            counts = {
                f"rows_{version}": ask(f"SELECT count(*) FROM {version}.{mart}") for version in "ab"
            }
            result[mart] = {**entry, **counts}
            gone, new = (
                ask(f"SELECT count(*) FROM (FROM {left}.{mart} EXCEPT ALL FROM {right}.{mart})")
                for left, right in ("ab", "ba")
            )
            if entry["status"] == "identical":
                assert (gone, new) == (0, 0), mart
                continue
            key = ", ".join(entry["difference"]["key"])
            only = {
                left: f"({key}) NOT IN (SELECT ({key}) FROM {right}.{mart})"
                for left, right in ("ab", "ba")
            }
            added = ask(f"SELECT count(*) FROM b.{mart} WHERE {only['b']}")
            removed = ask(f"SELECT count(*) FROM a.{mart} WHERE {only['a']}")
            assert gone - removed == new - added, mart
            amounts: list[dict[str, Any]] = []
            for amount in entry["difference"]["amounts"]:
                name, number = amount["column"], type(amount["a"])
                a, b = total("a", mart, name), total("b", mart, name)
                came, went = total("b", mart, name, only["b"]), total("a", mart, name, only["a"])
                figures = {"a": a, "b": b, "change": b - a, "by_added": came, "by_removed": -went}
                figures["by_changed"] = b - a - came + went
                scale = Decimal(1) if number is int else Decimal(str(amount["a"]))
                shown = {k: number(format(v.quantize(scale), "f")) for k, v in figures.items()}
                amounts.append({"column": name, **shown})
            counted = {"added": added, "removed": removed, "changed": new - added}
            result[mart]["difference"] = {**entry["difference"], **counts, **counted}
            result[mart]["difference"]["amounts"] = amounts
        return result


def test_a_column_that_changed_its_type_is_named_where_its_staging_model_fails(
    shop: Shop,
) -> None:
    with source(shop) as connection:
        connection.execute("ALTER TABLE product_prices ALTER COLUMN price TYPE text")
        connection.execute(
            "UPDATE product_prices SET price = 'on request' WHERE (product_id, valid_from) ="
            " (SELECT product_id, valid_from FROM product_prices ORDER BY 1, 2 LIMIT 1)"
        )
    result = shop.command("run", check=False)
    assert result.returncode == 1
    landed = max((shop.directory / "var/landing/shop/main/product_prices").iterdir()).name
    (line,) = [one for one in result.stderr.splitlines() if "was DECIMAL" in one]
    assert re.fullmatch(
        r"stg_shop__product_prices: raw_shop\.product_prices\.price was DECIMAL\(\d+,\d+\) and is"
        rf" VARCHAR since load {landed} \(column price of shop\.product_prices; cast it in"
        r" models/staging/shop/stg_shop__product_prices\.sql, or take the change back at the"
        r" source\)",
        line.strip(),
    )
    with duckdb.connect(str(shop.directory / "var" / "build.duckdb"), read_only=True) as build:
        models = build.execute(
            "SELECT models FROM meta.schema_changes WHERE change = 'widened'"
        ).fetchall()
    # a product's current price is taken from the price list
    assert models == [("base_shop__products, stg_shop__product_prices, stg_shop__products",)]
