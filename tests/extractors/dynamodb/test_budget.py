"""All segments of a scan share one rate of read capacity, which falls when the table throttles."""

import time
from pathlib import Path
from typing import Any

import pytest

from extractors.dynamodb.budget import Budget, units_per_second
from extractors.dynamodb.client import dynamodb_client
from extractors.dynamodb.segments import Pace
from extractors.errors import ConfigError, SourceError
from tests.extractors.dynamodb.helpers import scan
from tests.extractors.dynamodb.page_server import Table, pages_of, serving
from tests.extractors.dynamodb.test_traps import item


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def read(budget: Budget, clock: Clock, pages: int, units: float) -> float:
    """Return the seconds that pages of `units` take when nothing but the budget limits them."""
    started = clock.now
    for _ in range(pages):
        clock.wait(budget.delay())
        budget.spend(units)
    clock.wait(budget.delay())
    return clock.now - started


def test_a_scan_takes_as_long_as_its_units_last() -> None:
    clock = Clock()
    # the first second's worth may be spent at once
    assert read(Budget(100, clock=clock), clock, 50, 128.0) == pytest.approx(63.0)


def test_an_idle_budget_saves_up_one_second_only() -> None:
    clock = Clock()
    budget = Budget(100, clock=clock)
    clock.wait(3600)
    assert read(budget, clock, 10, 100.0) == pytest.approx(9.0)


def test_without_a_limit_nothing_waits() -> None:
    clock = Clock()
    budget = Budget(None, clock=clock)
    assert read(budget, clock, 50, 128.0) == 0.0
    assert budget.spent == 50 * 128.0


def test_throttling_slows_down_once_a_second_and_recovers() -> None:
    clock = Clock()
    budget = Budget(100, clock=clock)
    for _ in range(4):
        budget.throttled()
    assert budget.rate == pytest.approx(60.0)
    clock.wait(2)
    budget.delay()
    budget.throttled()
    assert budget.rate is not None
    assert budget.rate < 45
    clock.wait(60)
    budget.delay()
    assert budget.rate == 100


def test_a_table_without_limit_is_held_to_what_it_served_before_it_throttled() -> None:
    clock = Clock()
    budget = Budget(None, clock=clock)
    for _ in range(10):
        budget.spend(50.0)
        clock.wait(1)
    budget.throttled()
    assert budget.rate == pytest.approx(30.0)


def test_pages_are_no_larger_than_a_seconds_worth() -> None:
    assert Budget(10).page_limit(0.5) == 20
    assert Budget(10).page_limit(100.0) == 1
    assert Budget(10).page_limit(None) is None
    assert Budget(None).page_limit(0.5) is None


def test_a_share_needs_provisioned_capacity() -> None:
    assert units_per_second("25%", 400) == 100.0
    assert units_per_second(50, None) == 50.0
    with pytest.raises(ConfigError, match="read_capacity: 25% is a share .* on demand"):
        units_per_second("25%", None)


def served(table: Table, folder: Path, **options: Any) -> tuple[int, float]:
    """Return the rows of a scan from the page server, and its seconds."""
    with serving(table) as address:
        client = dynamodb_client("eu-west-2", address)
        started = time.monotonic()
        (manifest,) = scan(client, "t", folder, segments=4, **options)
    return manifest.rows, time.monotonic() - started


PAGES = pages_of([item(number) for number in range(60)], 2)


def test_the_rate_holds_for_all_segments_together(tmp_path: Path) -> None:
    budget = Budget(100)
    rows, seconds = served(Table(PAGES, units=5.0), tmp_path, budget=budget)
    # 30 pages of 5 units, of which a second's worth is free
    assert (rows, budget.spent) == (60, 150.0)
    assert 0.4 < seconds < 5


def test_a_throttled_scan_goes_on_slower_and_loses_nothing(tmp_path: Path) -> None:
    table = Table(PAGES, units=5.0, throttle_every=4)
    budget = Budget(10_000)
    rows, _ = served(table, tmp_path, budget=budget)
    assert rows == 60
    assert budget.throttles == table.throttled > 5
    assert budget.rate is not None
    assert budget.rate < 10_000


def test_a_scan_that_is_only_throttled_gives_up_with_advice(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="throttled for too long; lower read_capacity") as error:
        served(Table(PAGES, always_throttled=True), tmp_path, pace=Pace(throttled_seconds=0.2))
    assert error.match(r"DynamoDB table t \(eu-west-2, http://127")
    assert "\n" not in str(error.value)


def test_a_small_budget_asks_for_small_pages(tmp_path: Path) -> None:
    table = Table(PAGES, units=10.0)
    served(table, tmp_path, budget=Budget(1000))
    # 2 items cost 10 units, so 1000 units a second are 200 items a page; at first nothing is known
    assert set(table.limits) == {0, 200}
