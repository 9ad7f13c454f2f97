"""A killed scan goes on where each segment stood, and gives what an undisturbed one gives."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from extractors.dynamodb.checkpoint import Workspace
from extractors.dynamodb.client import dynamodb_client
from extractors.dynamodb.route import Route
from extractors.dynamodb.segments import Pace, Progress
from extractors.errors import SourceError
from extractors.package import Manifest, PackageWriter, new_load_id
from tests.extractors.dynamodb.helpers import NOW, rows, scan
from tests.extractors.dynamodb.page_server import Table, pages_of, serving
from tests.extractors.dynamodb.test_traps import item

SCRIPT = Path(__file__).with_name("resumable.py")
ROUTES = [Route("even", {"even": {"exists": True}}), Route("odd")]
ITEMS = [
    item(number, n={"N": str(number)}, **({} if number % 2 else {"even": {"BOOL": True}}))
    for number in range(200)
]
PAGES = pages_of(ITEMS, 2)


class InterruptionError(Exception):
    pass


def interrupt_after(items: int) -> Callable[[Progress], None]:
    def progress(now: Progress) -> None:
        if now.items >= items:
            raise InterruptionError

    return progress


def work_dir(landing: Path) -> Path:
    return landing / ".scan" / "activity" / "main" / "t"


def left_over(landing: Path) -> list[str]:
    return sorted(path.name for path in work_dir(landing).iterdir())


def content(landing: Path, manifests: list[Manifest]) -> list[Any]:
    return [(m.entity, m.columns, rows(landing, m)) for m in manifests]


def test_kill_9_in_the_middle_then_again_gives_the_rows_of_an_undisturbed_scan(
    tmp_path: Path,
) -> None:
    table = Table(PAGES, delay=0.01)
    with serving(table) as address:
        client = dynamodb_client("eu-west-2", address)
        undisturbed = scan(client, "t", tmp_path / "whole", routes=ROUTES, segments=4)
        killed = tmp_path / "killed"
        for stop_at in (30, 100):
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), address, str(killed)],
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            assert process.stdout is not None
            for line in process.stdout:
                if int(line) >= stop_at:
                    process.send_signal(signal.SIGKILL)
                    break
            process.stdout.close()
            assert process.wait() == -signal.SIGKILL
        table.scans, first_start = 0, datetime.now(UTC)
        manifests = scan(
            client, "t", killed, routes=ROUTES, segments=4, now=lambda: datetime.now(UTC)
        )
    # 100 pages; at least what was durable at the second kill was not asked for again
    assert table.scans < 70
    assert {m.facts["resumed"] for m in manifests} == {2}
    assert all(m.complete_up_to < first_start for m in manifests)
    assert content(killed, manifests) == content(tmp_path / "whole", undisturbed)
    assert left_over(killed) == ["lock"]


@pytest.fixture
def interrupted(tmp_path: Path) -> Any:
    """Return a client and its table, whose scan into `tmp_path` was interrupted half-way."""
    table = Table(PAGES)
    with serving(table) as address:
        client = dynamodb_client("eu-west-2", address)
        with pytest.raises(InterruptionError):
            scan(client, "t", tmp_path, routes=ROUTES, progress=interrupt_after(100))
        assert "segment-000000.json" in left_over(tmp_path)
        table.scans = 0
        yield client, table


def test_a_resumed_scan_is_complete_as_of_its_first_start(
    interrupted: tuple[Any, Table], tmp_path: Path
) -> None:
    client, table = interrupted
    later = NOW + timedelta(hours=3)
    even, odd = scan(client, "t", tmp_path, routes=ROUTES, now=lambda: later)
    assert table.scans < len(PAGES) / 2 + 4
    for manifest in (even, odd):
        assert (manifest.mode, manifest.rows, manifest.complete_up_to) == ("full", 100, NOW)
        assert manifest.source_position == round(NOW.timestamp() * 1_000_000)
        assert manifest.to == {"scan_started": "2026-03-01T12:00:00.123456Z"}
        assert manifest.facts["items_read"] == manifest.facts["scanned_count"] == 200
        assert manifest.facts["consumed_capacity"] == 100.0


@pytest.mark.parametrize("change", ["age", "segments", "consistency", "table", "damage"])
def test_a_scan_of_something_else_starts_over(
    interrupted: tuple[Any, Table], tmp_path: Path, change: str
) -> None:
    client, table = interrupted
    options: dict[str, Any] = {}
    later = NOW + timedelta(hours=1)
    match change:
        case "age":
            options["resume_within"] = timedelta(minutes=59)
        case "segments":
            options["segments"] = 3
        case "consistency":
            options["consistent"] = True
        case "table":
            table.identity = "made again"
        case _:
            (work_dir(tmp_path) / "scan.json").write_text("{")
    even, odd = scan(client, "t", tmp_path, routes=ROUTES, now=lambda: later, **options)
    assert table.scans == len(PAGES)
    assert (even.rows, odd.rows, even.complete_up_to) == (100, 100, later)
    assert even.facts["resumed"] == 0


def test_files_that_no_checkpoint_names_are_not_read(
    interrupted: tuple[Any, Table], tmp_path: Path
) -> None:
    client, _ = interrupted
    torn = work_dir(tmp_path) / "items-000000-000099.jsonl"
    torn.write_bytes(b'{"pk":{"S":"torn')
    even, odd = scan(client, "t", tmp_path, routes=ROUTES)
    assert (even.rows, odd.rows) == (100, 100)


@pytest.fixture
def half_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client of a table whose scan ended between the commits of its two packages."""
    commit = PackageWriter.commit

    def first_only(self: PackageWriter, **arguments: Any) -> Manifest:
        if self.entity == "odd":
            raise InterruptionError
        return commit(self, **arguments)

    with serving(Table(PAGES)) as address:
        client = dynamodb_client("eu-west-2", address)
        monkeypatch.setattr(PackageWriter, "commit", first_only)
        with pytest.raises(InterruptionError):
            scan(client, "t", tmp_path, routes=ROUTES)
        monkeypatch.setattr(PackageWriter, "commit", commit)
        yield client


def test_a_kill_between_two_packages_completes_the_rest(
    half_committed: Any, tmp_path: Path
) -> None:
    (made,) = (tmp_path / "activity" / "main" / "t").glob("*/manifest.json")
    # the loader sets aside what it cannot take under another name
    aside = made.parent.with_name(f"rejected-{new_load_id()}")
    aside.mkdir()
    (aside / "manifest.json").write_text(made.read_text().replace("scan_id", "scan_id_"))
    even, odd = scan(half_committed, "t", tmp_path, routes=ROUTES)
    assert even.load_id == made.parent.name
    assert even.facts["scan_id"] == odd.facts["scan_id"]
    assert (even.rows, odd.rows) == (100, 100)


def test_a_kill_between_two_packages_and_other_routes_start_over(
    half_committed: Any, tmp_path: Path
) -> None:
    (everything,) = scan(half_committed, "t", tmp_path, routes=[Route("even")])
    assert (everything.rows, everything.facts["resumed"]) == (200, 0)


def test_two_processes_cannot_scan_one_table_into_one_landing(tmp_path: Path) -> None:
    with serving(Table(PAGES)) as address, Workspace(work_dir(tmp_path)).locked("t"):
        client = dynamodb_client("eu-west-2", address)
        with pytest.raises(SourceError, match="another process is scanning it"):
            scan(client, "t", tmp_path, routes=ROUTES)


def test_an_answer_damaged_on_the_way_is_asked_for_again(tmp_path: Path) -> None:
    table = Table(PAGES, damage_every=5)
    with serving(table) as address:
        even, odd = scan(dynamodb_client("eu-west-2", address), "t", tmp_path, routes=ROUTES)
    assert (even.rows, odd.rows) == (100, 100)
    assert table.scans > len(PAGES)


def test_a_checkpoint_is_made_by_time_as_well(tmp_path: Path) -> None:
    seen: list[set[str]] = []

    def look(_: Progress) -> None:
        seen.append({path.suffix for path in work_dir(tmp_path).iterdir()})

    pace = Pace(checkpoint_seconds=0.0)
    with serving(Table(PAGES[:6])) as address:
        client = dynamodb_client("eu-west-2", address)
        scan(client, "t", tmp_path, segments=1, progress=look, pace=pace)
    assert ".jsonl" in seen[1]
