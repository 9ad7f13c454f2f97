"""`warehouse prune`, and the disk in `warehouse status`."""

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extractors.errors import ConfigError
from extractors.package import PackageWriter
from orchestration import run
from tests.cli.command import Command
from tests.warehouse.conftest import COLUMNS, NOON
from warehouse import config, lease
from warehouse.engines import duckdb_engine
from warehouse.load import replay
from warehouse.load.package import LoadRules
from warehouse.retention import daily

CONFIGURATION = """
sources:
  s: { kind: postgres, dsn: "postgresql://a:b@127.0.0.1:1/shop", tables: { t: { key: [id] } } }
retention: { landing_days: 0 }
"""


@pytest.fixture
def shop(warehouse: Command) -> Command:
    """Return the command where two packages have landed, and none is loaded."""
    (warehouse.directory / "warehouse.yml").write_text(CONFIGURATION)
    for number in (1, 2):
        with PackageWriter(warehouse.directory / "var" / "landing", "s", "main", "t") as writer:
            path = writer.new_part()
            pq.write_table(pa.table({"id": ["a"], "n": pa.array([number], pa.int32())}), path)
            writer.add_part(path)
            writer.commit(
                mode="full", key=["id"], columns=COLUMNS, from_=None, to={"at": number},
                source_position=number, complete_up_to=NOON,
            )  # fmt: skip
    return warehouse


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != lease.LOCK_FILE
    }


def test_prune_says_what_it_would_do_then_does_it_and_raw_stays(shop: Command) -> None:
    home = shop.directory / "var"
    before = tree(home)
    told = json.loads(shop("prune", "--dry-run", "--json").stdout)
    assert tree(home) == before
    done = json.loads(shop("prune", "--json").stdout)
    assert told == {**done, "dry_run": True}
    assert [(item["kind"], item["name"], item["count"]) for item in done["items"]] == [
        ("merged", "s.t (main)", 2),
        ("packages", "s.t (main)", 2),
    ]
    assert done["freed_bytes"] == done["items"][1]["bytes"] > 0
    settings = config.load(shop.directory / "warehouse.yml")
    assert daily.last(settings)["freed_bytes"] == done["freed_bytes"]

    settings.build_database.unlink()
    with duckdb_engine.build_database(settings.build_database) as connection:
        tables = [("s", "main", "t")]
        replay.catch_up(connection, settings.landing, tables, run_id="r", rules=LoadRules())
        assert connection.execute("SELECT id, n FROM raw_s.t").fetchall() == [("a", 2)]
    (package,) = (home / "landing" / "s" / "main" / "t").iterdir()
    with pytest.raises(ConfigError, match="holds what raw made of others"):
        run.load(settings, package)


def test_status_tells_what_is_on_the_disk(shop: Command) -> None:
    found = json.loads(shop("status", "--json").stdout)["disk"]
    assert found["total"] == found["landing"] > 1000
    assert found["pruned"] is None
    assert found["free"] <= shutil.disk_usage(shop.directory).total
    settings = config.load(shop.directory / "warehouse.yml")
    daily.record(settings, NOON, [], "no space")
    lines = shop("status").stdout.splitlines()
    assert lines[-3].split() == [
        "disk", "landing", "rejected", "build", "state", "published", "logs", "other", "total",
        "free",
    ]  # fmt: skip
    assert lines[-1] == "not pruned at 2026-01-01T12:00:00Z: no space"
