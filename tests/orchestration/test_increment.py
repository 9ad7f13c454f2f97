"""A held-back month of real orders arrives as an increment, also after a loss; the past is kept."""

import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from tests.demo_shops import real_orders
from tests.shops import OF_HISTORY, REPOSITORY, Shop, differences, without_history

pytestmark = [pytest.mark.slow, pytest.mark.drill]

# Three months, the last of them held back: the whole file would take minutes more and say no more.
FIRST_MONTHS = "InvoiceDate < TIMESTAMP '2011-02-01'"
HELD_BACK = "InvoiceDate >= TIMESTAMP '2011-02-01' AND InvoiceDate < TIMESTAMP '2011-03-01'"


def cut(orders: Path, condition: str, target: Path) -> Path:
    duckdb.execute(
        f"COPY (SELECT * EXCLUDE n FROM (SELECT *, file_row_number AS n"
        f" FROM read_parquet('{orders}', file_row_number = true)) WHERE {condition} ORDER BY n)"
        f" TO '{target}' (FORMAT parquet)"
    )
    return target


def connect(shop: Shop) -> "psycopg.Connection[Any]":
    text = (shop.directory / ".env").read_text()
    found = re.search(r"^SHOP_PRIMARY_DSN=['\"]?([^'\"\n]+)", text, re.MULTILINE)
    assert found is not None
    return psycopg.connect(found.group(1), autocommit=True)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[Shop]:
    """Yield a shop that holds the first two months."""
    folder = tmp_path_factory.mktemp("increment")
    file = cut(real_orders(shared_data), FIRST_MONTHS, folder / "first.parquet")
    started = Shop(folder)
    started.command("demo", "up", "--orders", str(file))
    yield started
    started.command("demo", "down", "--delete")


@pytest.fixture(scope="module")
def backups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the backup that was taken before the month arrived."""
    return tmp_path_factory.mktemp("backups")


def hashes(version: dict[str, Any]) -> dict[str, str]:
    return {f"{t['schema']}.{t['table']}": t["content_hash"] for t in version["tables"]}


def test_late_commits_old_stamps_and_a_held_back_month_arrive_and_equal_loading_all_at_once(
    shop: Shop, shared_data: Path, tmp_path: Path, backups: Path
) -> None:
    with connect(shop) as late, connect(shop) as other:
        late.execute("BEGIN")
        late.execute("SAVEPOINT before_the_row")
        late.execute(
            "INSERT INTO users (user_id, country, created_at, marketing_consent, account_status)"
            " VALUES ('late', 'Malta', '2010-12-05 10:00+00', true, 'active')"
        )
        late.execute("RELEASE SAVEPOINT before_the_row")
        first = shop.json("run", "--as-of", "2011-02-01T00:00:00Z")
        shop.command("backup", str(backups))
        late.execute("COMMIT")
        other.execute(
            "UPDATE products SET category = 'relabelled', updated_at = '2001-01-01 00:00+00'"
            " WHERE product_id = '85123A'"
        )
        stamp = other.execute(
            "SELECT updated_at < '2002-01-01' FROM products WHERE product_id = '85123A'"
        ).fetchone()
        assert stamp == (True,), "the old stamp is the point of this test"
    assert {t["mode"] for t in first["tables"]} == {"full"}

    march = cut(real_orders(shared_data), HELD_BACK, tmp_path / "held_back.parquet")
    shop.command("demo", "orders", str(march))
    as_of = ("--as-of", "2011-03-01T00:00:00Z")
    second = {t["entity"]: t for t in shop.json("run", *as_of)["tables"] if t["source"] == "shop"}
    assert {t["mode"] for t in second.values()} == {"incremental"}
    assert {t["certificate"] for t in second.values()} == {"passed"}
    with connect(shop) as connection:
        in_source = {
            table: connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
            for table in second
        }
    expected = duckdb.execute(
        f"SELECT count(*) FILTER (InvoiceNo NOT LIKE 'C%'), count(*) FILTER (InvoiceNo LIKE 'C%'),"
        f" count(DISTINCT InvoiceNo) FILTER (InvoiceNo NOT LIKE 'C%') FROM '{march}'"
    ).fetchone()
    lines, refunds, orders = expected or (0, 0, 0)
    assert second["order_lines"]["rows"] == second["order_lines"]["inserted"] == lines
    assert second["refunds"]["rows"] == second["refunds"]["inserted"] == refunds
    assert second["orders"]["inserted"] <= orders
    assert second["orders"]["rows"] < (in_source["orders"] or (0,))[0] / 2
    assert shop.query("SELECT country FROM core.customers WHERE customer_id = 'late'") != []
    assert shop.query("SELECT category FROM core.products WHERE product_id = '85123A'") == [
        ("relabelled",)
    ]

    at_once = shop.sibling(tmp_path / "at_once")
    at_once.command("run", *as_of)
    assert without_history(at_once.current()) == without_history(shop.current())
    assert differences(at_once.published, shop.published, OF_HISTORY) == []
    moved = "select distinct reason from campaign.restatements"
    assert (shop.query(moved), at_once.query(moved)) == ([("late data",)], [])

    incremental = tmp_path / "incremental.duckdb"
    shutil.copy(shop.published, incremental)
    (shop.directory / "var" / "build.duckdb").unlink()
    rebuilt = shop.json("run", *as_of)
    assert {t["mode"] for t in rebuilt["tables"] if t["source"] == "shop"} == {"incremental"}
    assert without_history(shop.current()) == without_history(at_once.current())
    assert differences(incremental, shop.published) == []


def test_a_warehouse_lost_after_its_backup_catches_up_with_one_that_never_was(
    shop: Shop, backups: Path, tmp_path: Path
) -> None:
    lost = shop.sibling(tmp_path / "lost")
    lost.command("restore", str(backups))
    assert lost.current()["tables"] == shop.versions()[0]["tables"]
    shutil.rmtree(lost.directory / "var")

    lost.command("restore", str(backups))
    result = lost.json("run", "--as-of", "2011-03-01T00:00:00Z")
    assert (result["version"], result["published"]) == ("v000002", True)
    modes = {table["mode"] for table in result["tables"] if table["source"] == "shop"}
    assert modes == {"incremental"}
    assert {table["certificate"] for table in result["tables"]} == {"passed"}
    assert lost.current()["tables"] == shop.current()["tables"] != shop.versions()[0]["tables"]
    assert differences(lost.published, shop.published) == []
    assert [version["version"] for version in lost.versions()] == ["v000001", "v000002"]


def test_a_side_version_is_what_was_published_but_for_what_a_corrected_model_changes(
    shop: Shop, tmp_path: Path
) -> None:
    home, first = shop.directory / "var", shop.versions()[0]
    project = tmp_path / "project"
    shutil.copytree(REPOSITORY / "dbt_project", project)
    model = project / "models/marts/core/core__daily_totals.sql"
    counted = model.read_text().replace(
        "1 as order_count", "case when is_counted then 1 else 0 end as order_count"
    )
    model.write_text(counted)
    corrected = shop.directory / "corrected.yml"
    text = (shop.directory / "warehouse.yml").read_text()
    corrected.write_text(text.replace("warehouse:\n", f"warehouse:\n  dbt_project: {project}\n", 1))
    untouched = [home / "build.duckdb", *sorted(home.glob("landing/**/*.*"))]
    before = [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in untouched]

    made = shop.json("--config", str(corrected), "rebuild", "--known-at", "v000001")

    assert (made["version"], made["as_of"]) == ("r000001", first["as_of"])
    published, aside = hashes(first), hashes(made)
    assert aside.keys() == published.keys()
    assert {name for name in aside if aside[name] != published[name]} == {"core.daily_totals"}
    assert [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in untouched] == before
    assert not (home / "rebuild").exists()
    assert [v["version"] for v in shop.versions()] == ["v000001", "v000002", "v000003"]
    assert shop.current()["version"] == "v000003"
    assert [v["version"] for v in shop.json("versions", "--side")] == ["r000001"]

    count = "select count(*) as n from core.orders where not is_counted"
    (dropped,) = shop.json("sql", "--version", "v000001", count)
    assert dropped["n"] > 0
    marts = shop.json("diff", "v000001", "r000001")["marts"]
    (found,) = [mart for mart in marts if mart["status"] != "identical"]
    assert found["mart"] == "core.daily_totals"
    amounts = found["difference"]["amounts"]
    changes = {a["column"]: a["change"] for a in amounts if Decimal(a["change"])}
    assert changes == {"order_count": -dropped["n"]}


def test_a_row_deleted_at_the_source_leaves_the_marts(shop: Shop) -> None:
    with connect(shop) as connection:
        connection.execute(
            "DELETE FROM refunds WHERE refund_id = (SELECT max(refund_id) FROM refunds)"
        )
        (remaining,) = connection.execute("SELECT count(*) FROM refunds").fetchone() or (0,)
    result = {t["entity"]: t for t in shop.json("run")["tables"]}
    assert (result["refunds"]["deleted"], result["refunds"]["certificate"]) == (1, "passed")
    assert shop.query("SELECT count(*) FROM core.refunds") == [(remaining,)]
