"""The last run is told to everybody, and a killed one or waiting packages ask for another."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from extractors.package import package_directory
from tests.warehouse.conftest import NOON, MakePackage
from warehouse import lease
from warehouse.config import Settings
from warehouse.load import runs, unfinished
from warehouse.load.replay import reject
from warehouse.load.unfinished import Reason
from warehouse.publish import status

TABLE = ("s", "main", "t")


def reason(settings: Settings, loaded: str = "") -> Reason | None:
    return unfinished.reason(
        settings.home, settings.state_directory, settings.landing, {TABLE: loaded}
    )


@pytest.fixture
def state(settings: Settings) -> Path:
    return settings.state_directory


def test_before_the_first_run_nothing_is_unfinished(settings: Settings, state: Path) -> None:
    assert runs.last(state) is None
    assert reason(settings) is None
    assert status.status(settings)["last_run"] is None


def test_a_run_that_is_going_on_needs_no_other(
    build: duckdb.DuckDBPyConnection, settings: Settings, state: Path
) -> None:
    with lease.hold(settings.home):
        assert runs.begin(build, state, "one") is None
        assert reason(settings) is None
        assert status.status(settings)["last_run"]["status"] == "running"


def test_a_killed_run_asks_for_another_once_and_is_shown(
    build: duckdb.DuckDBPyConnection, settings: Settings, state: Path
) -> None:
    runs.begin(build, state, "one")
    assert reason(settings) == Reason("killed one", "the run one was killed")
    assert status.status(settings)["last_run"]["status"] == "killed"
    with lease.hold(settings.home):
        runs.begin(build, state, "two")
        runs.finish(build, state, "two", None)
    assert reason(settings) is None
    assert build.execute("SELECT run_id, status FROM meta.runs ORDER BY ALL").fetchall() == [
        ("one", "killed"),
        ("two", "succeeded"),
    ]


def test_a_failed_run_says_why_and_is_left_to_the_schedule(
    build: duckdb.DuckDBPyConnection, settings: Settings, state: Path
) -> None:
    runs.begin(build, state, "one")
    runs.finish(build, state, "one", "shop.orders: no such table")
    assert reason(settings) is None
    shown = status.status(settings)["last_run"]
    assert (shown["run_id"], shown["status"]) == ("one", "failed")
    assert shown["error"] == "shop.orders: no such table"


def test_a_package_that_raw_does_not_hold_asks_for_a_run_unless_it_was_refused(
    settings: Settings, make_package: MakePackage
) -> None:
    first, second = make_package([("a", 1)]), make_package([("a", 2)], to=2)
    directory = package_directory(settings.landing, second)
    found = reason(settings, first.load_id)
    assert found == Reason(
        f"landed {second.load_id}", f"1 packages landed and are not loaded, {directory} last"
    )
    assert reason(settings, second.load_id) is None
    reject(directory)
    assert reason(settings, first.load_id) is None


def test_a_run_that_is_killed_before_it_decides_hands_on_the_tick_it_took_over(
    build: duckdb.DuckDBPyConnection, state: Path
) -> None:
    tick = datetime(2026, 5, 1, 12, tzinfo=UTC)
    runs.begin(build, state, "one")
    runs.set_as_of(build, "one", tick)
    assert runs.begin(build, state, "two") == tick
    assert runs.begin(build, state, "three") == tick


def test_a_killed_runs_tick_waits_for_a_run_that_comes_to_one(
    build: duckdb.DuckDBPyConnection, state: Path
) -> None:
    runs.begin(build, state, "killed")
    runs.set_as_of(build, "killed", NOON)
    assert runs.begin(build, state, "a load by hand") == NOON
    runs.finish(build, state, "a load by hand", None)
    assert runs.begin(build, state, "a run that fails before its tick") == NOON
    runs.finish(build, state, "a run that fails before its tick", "no such host")
    assert runs.begin(build, state, "the next run") == NOON
    runs.finish(build, state, "the next run", None, as_of=NOON)
    assert runs.begin(build, state, "the one after") is None
