"""A lost warehouse comes back and goes on; what raw knew earlier is built again, and compared."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.shops import REPOSITORY, Shop, differences

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Story:
    """A warehouse with two versions, the sources having moved on between them, and its backup."""

    shop: Shop
    backups: Path
    first: dict[str, Any]
    second: dict[str, Any]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    shop = Shop(tmp_path_factory.mktemp("kept"))
    backups = tmp_path_factory.mktemp("backups")
    shop.command("demo", "up", "--scale", "0.05")
    try:
        shop.command("run")
        first = shop.current()
        shop.command("backup", str(backups))
        shop.command("demo", "advance", "--days", "2")
        shop.command("run")
        yield Story(shop, backups, first, shop.current())
    finally:
        shop.command("demo", "down", "--delete")


def hashes(version: dict[str, Any]) -> dict[str, str]:
    return {f"{t['schema']}.{t['table']}": t["content_hash"] for t in version["tables"]}


def test_a_warehouse_lost_after_its_backup_catches_up_with_one_that_never_was(
    story: Story, tmp_path: Path
) -> None:
    assert hashes(story.first) != hashes(story.second)
    lost = story.shop.sibling(tmp_path / "lost")
    lost.command("restore", str(story.backups))
    assert hashes(lost.current()) == hashes(story.first)
    shutil.rmtree(lost.directory / "var")

    lost.command("restore", str(story.backups))
    result = lost.json("run", "--as-of", story.second["as_of"])
    assert (result["version"], result["published"]) == ("v000002", True)
    shop_tables = [table for table in result["tables"] if table["source"] == "shop"]
    assert {table["mode"] for table in shop_tables} == {"incremental"}
    assert {table["certificate"] for table in result["tables"]} == {"passed"}
    assert hashes(lost.current()) == hashes(story.second)
    assert differences(lost.published, story.shop.published) == []
    assert [version["version"] for version in lost.versions()] == ["v000001", "v000002"]


def test_a_side_version_is_what_was_published_but_for_what_a_corrected_model_changes(
    story: Story, tmp_path: Path
) -> None:
    shop, home = story.shop, story.shop.directory / "var"
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

    assert (made["version"], made["as_of"]) == ("r000001", story.first["as_of"])
    published, aside = hashes(story.first), hashes(made)
    assert aside.keys() == published.keys()
    assert {name for name in aside if aside[name] != published[name]} == {"core.daily_totals"}
    assert [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in untouched] == before
    assert not (home / "rebuild").exists()
    assert [v["version"] for v in shop.versions()] == ["v000001", "v000002"]
    assert shop.current()["version"] == "v000002"
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
