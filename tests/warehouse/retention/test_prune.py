"""Pruning removes what retention does not keep, and nothing that anybody still needs."""

import hashlib
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

import warehouse
from extractors.errors import SourceError
from extractors.package import Manifest, package_directory, packages
from tests.warehouse.conftest import MakePackage, raw_rows
from warehouse import config
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.load import chains, compaction, replay
from warehouse.load.package import LoadRules
from warehouse.publish import publication
from warehouse.retention import disk
from warehouse.retention.prune import Pruned, prune

TABLES = [("s", "main", "t")]
DAY = timedelta(days=1)
NOW = datetime.now(UTC)

Prune = Callable[..., list[Pruned]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return the configuration with a retention."""
    with settings.path.open("a", encoding="utf-8") as file:
        file.write(
            "retention: {landing_days: 30, history_days: 60, rejected_days: 90, log_days: 7}\n"
        )
    return config.load(settings.path)


@pytest.fixture
def pruned(settings: Settings, build: duckdb.DuckDBPyConnection) -> Prune:
    """Return a function that prunes as of some days from now."""

    def at(days: float, *, dry_run: bool = False) -> list[Pruned]:
        return prune(
            settings, build, TABLES, resume_within=DAY, dry_run=dry_run, now=NOW + days * DAY
        )

    return at


def catch_up(
    connection: duckdb.DuckDBPyConnection, settings: Settings, *, history: bool = False
) -> None:
    rules = LoadRules(history=frozenset({("s", "t")} if history else {}))
    replay.catch_up(connection, settings.landing, TABLES, run_id="run", rules=rules)


def landed(settings: Settings) -> list[str]:
    return [directory.name for directory in packages(settings.landing, *TABLES[0])]


def tree(folder: Path) -> dict[str, str]:
    """Return every file of a folder with its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def written(path: Path, text: str = "x", *, days_old: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    at = (NOW - days_old * DAY).timestamp()
    os.utime(path, (at, at))
    return path


def test_packages_are_merged_when_they_are_old_and_go_when_the_merged_one_is(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage, pruned: Prune
) -> None:
    first, second = make_package([("a", 1)]), make_package([("a", 2)], mode="incremental",
                                                            start=1, to=2)  # fmt: skip
    catch_up(build, settings)
    both = first.bytes + second.bytes
    assert pruned(0.5) == []
    assert pruned(31) == [Pruned("merged", "s.t (main)", 2, both)]
    base = chains.chains(settings.landing, TABLES).popitem()[1][-1]
    assert landed(settings) == [first.load_id, second.load_id, base.load_id]
    assert pruned(29) == []
    assert pruned(31) == [Pruned("packages", "s.t (main)", 2, both)]
    assert landed(settings) == [base.load_id]
    assert pruned(31) == []
    with duckdb.connect() as fresh:
        fresh.execute(duckdb_engine.META)
        catch_up(fresh, settings)
        assert raw_rows(fresh, "id, n, _load_id") == [("a", 2, second.load_id)]
    landed_now = chains.chains(settings.landing, TABLES).values()
    assert chains.earliest_known_at(landed_now) == base.finished_at


def test_nothing_goes_when_the_package_that_replaces_it_is_damaged(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage, pruned: Prune
) -> None:
    make_package([("a", 1)])
    make_package([("a", 2)], to=2)
    catch_up(build, settings)
    base = compaction.compact(
        build, settings.landing, chains.chains(settings.landing, TABLES).popitem()[1]
    )
    (package_directory(settings.landing, base) / "loads.parquet").write_bytes(b"PAR1")
    before = tree(settings.landing)
    with pytest.raises(SourceError, match=r"loads\.parquet: checksum differs"):
        pruned(31)
    assert tree(settings.landing) == before


def test_days_of_zero_merge_and_remove_at_once(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage
) -> None:
    at_once = settings.retention.model_copy(update={"landing_days": 0})
    settings = settings.model_copy(update={"retention": at_once})
    sizes = [make_package([("a", n)], to=n).bytes for n in (1, 2, 3)]
    catch_up(build, settings)
    found = [
        prune(settings, build, TABLES, resume_within=DAY, dry_run=dry_run)
        for dry_run in (True, False, False)
    ]
    expected = [Pruned(kind, "s.t (main)", 3, sum(sizes)) for kind in ("merged", "packages")]
    assert found == [expected, expected, []]
    assert len(landed(settings)) == 1


def test_history_is_shortened_and_stays_so_when_raw_is_made_again(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage, pruned: Prune
) -> None:
    make_package([("a", 1), ("b", 1)])
    make_package([("a", 2)], mode="incremental", start=1, to=2)
    catch_up(build, settings, history=True)
    assert [p.kind for p in pruned(59)] == ["merged"]
    outdated = [(p.kind, p.count, p.freed) for p in pruned(61) if p.kind == "history"]
    assert outdated == [("history", 1, 0)]
    history = "SELECT id, n FROM raw_s.t__history ORDER BY ALL"
    with duckdb.connect() as fresh:
        fresh.execute(duckdb_engine.META)
        catch_up(fresh, settings, history=True)
        for connection in (build, fresh):
            assert connection.execute(history).fetchall() == [("a", 2), ("b", 1)]
    assert [p for p in pruned(61) if p.kind == "history"] == []


def test_refused_packages_logs_and_leftovers_go_when_they_are_old(
    settings: Settings, make_package: MakePackage, pruned: Prune
) -> None:
    refused = make_package([("a", 1)])
    aside = replay.reject(package_directory(settings.landing, refused))
    scan = settings.landing / ".scan" / "d" / "main" / "clicks"
    written(scan / "lock")
    written(scan / "items-000000-000000.jsonl", "secret")
    started = (settings.now() - 0.9 * DAY).isoformat()
    written(scan / "scan.json", json.dumps({"started_at": started}))
    old_log = written(settings.logs_directory / "error-1.log", days_old=8)
    log = written(settings.logs_directory / "run.log", days_old=6)
    spilled = written(settings.home / "build.duckdb.tmp" / "duckdb_temp_1.tmp", "xx")
    torn = written(settings.state_directory / ".status.json.1.tmp")
    assert [(p.kind, p.name, p.bytes) for p in pruned(0)] == [
        ("leftovers", "state/.status.json.1.tmp", 1),
        ("leftovers", "build.duckdb.tmp", 2),
        ("logs", "logs/error-1.log", 1),
    ]
    assert [path.exists() for path in (old_log, log, spilled, torn)] == [False, True, False, False]
    assert sorted(path.name for path in scan.iterdir()) == [
        "items-000000-000000.jsonl",
        "lock",
        "scan.json",
    ]
    written(scan / "scan.json", "{}")
    assert [(p.kind, p.name, p.bytes) for p in pruned(91) if p.kind != "logs"] == [
        ("leftovers", ".scan/d/main/clicks/items-000000-000000.jsonl", 6),
        ("leftovers", ".scan/d/main/clicks/scan.json", 2),
        ("rejected", f"s/main/t/rejected-{refused.load_id}", disk_size(refused)),
    ]
    assert not aside.exists()
    assert [path.name for path in scan.iterdir()] == ["lock"]


def disk_size(manifest: Manifest) -> int:
    return manifest.bytes + len(manifest.to_json().encode())


def test_a_log_that_all_runs_write_to_is_put_aside_when_it_is_large(
    settings: Settings, pruned: Prune
) -> None:
    log = written(settings.logs_directory / "run.log", "x" * 10_000_001)
    aside = written(settings.logs_directory / "run.log.1", "old")
    assert pruned(0) == [Pruned("logs", "logs/run.log.1", 1, 3)]
    assert (log.exists(), aside.stat().st_size) == (False, 10_000_001)
    assert pruned(0) == []


def test_versions_beyond_those_kept_go_and_open_ones_stay(
    settings: Settings, build: duckdb.DuckDBPyConnection, pruned: Prune
) -> None:
    build.execute("CREATE SCHEMA core")
    build.execute("CREATE TABLE core.orders AS SELECT 1 AS amount")
    generous = settings.publication.model_copy(update={"keep": 9})
    for number in range(6):
        publication.publish(
            build,
            settings.model_copy(update={"publication": generous}),
            run_id="run",
            as_of=NOW,
            fingerprint=str(number),
            next_due_at=None,
            sources_of={},
            unmatched={},
        )
    with warehouse.open("v000002", config=settings.path):
        found = pruned(0)
    assert [(p.kind, p.name, p.bytes > 0) for p in found] == [
        ("versions", "v000001", True),
        ("versions", "v000003", True),
    ]
    assert sorted(path.stem for path in settings.published_directory.glob("v*")) == [
        "v000002",
        "v000004",
        "v000005",
        "v000006",
    ]


def test_a_dry_run_tells_all_and_changes_nothing(
    settings: Settings, build: duckdb.DuckDBPyConnection, make_package: MakePackage, pruned: Prune
) -> None:
    make_package([("a", 1)])
    make_package([("a", 2)], mode="incremental", start=1, to=2)
    replay.reject(package_directory(settings.landing, make_package([("a", 3)])))
    catch_up(build, settings, history=True)
    written(settings.logs_directory / "error-1.log", days_old=8)
    written(settings.home / "build.duckdb.tmp" / "duckdb_temp_1.tmp", "xx")
    build.execute("CHECKPOINT")
    before = tree(settings.home)
    told = pruned(91, dry_run=True)
    build.execute("CHECKPOINT")
    assert tree(settings.home) == before
    assert {p.kind for p in told} == {"leftovers", "merged", "history", "rejected", "logs"}
    assert pruned(91) == told


def test_the_disk_is_accounted_for_to_the_byte(
    settings: Settings, make_package: MakePackage, tmp_path: Path
) -> None:
    make_package([("a", 1)])
    replay.reject(package_directory(settings.landing, make_package([("a", 3)])))
    for name, text in {
        "build.duckdb": "b", "build.duckdb.wal": "w", "state/segment-000001.json": "{}",
        "published/v000001.duckdb": "vvv", "logs/run.log": "llll", "dbt/target/x": "ddddd",
    }.items():  # fmt: skip
        written(settings.home / name, text)
    used = disk.usage(settings)
    whole = sum(path.stat().st_size for path in settings.home.rglob("*") if path.is_file())
    landed_bytes = whole - 2 - 2 - 3 - 4 - 5
    assert {name: used[name] for name in used if name != "free"} == {
        "landing": landed_bytes - used["rejected"],
        "rejected": used["rejected"],
        "build": 2, "state": 2, "published": 3, "logs": 4, "other": 5, "total": whole,
    }  # fmt: skip
    assert used["rejected"] > 0
    assert used["free"] > 0
    assert tmp_path in settings.home.parents
