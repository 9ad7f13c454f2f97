"""Which packages are merged and which may go, from their ages and sizes alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from extractors.package import Manifest, Mode
from warehouse.load import chains
from warehouse.load.chains import place_of
from warehouse.retention import landing

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEEP = timedelta(days=30)


def package(
    name: str,
    days_old: float,
    mode: Mode = "incremental",
    *,
    size: int = 1,
    replaces: tuple[str, ...] = (),
    cell: str = "main",
) -> Manifest:
    at = NOW - timedelta(days=days_old)
    return Manifest(
        name, "s", cell, "t", "t", mode, ("id",), None, {}, 0, at, (), 0, 0, size, (), (), (),
        at, at, replaces=replaces,
    )  # fmt: skip


def merged(*found: list[Manifest]) -> list[str]:
    by_place = {place_of(chain[0]): chain for chain in found}
    return [place.cell for place in landing.to_merge(by_place, NOW, KEEP)]


def test_a_table_that_was_read_once_is_left_alone_however_old() -> None:
    assert merged([package("1", 300, "full")]) == []


def test_increments_are_merged_once_one_of_them_is_too_old() -> None:
    full = package("1", 300, "full", size=100)
    assert merged([full, package("2", 29), package("3", 1)]) == []
    assert merged([full, package("2", 31), package("3", 1)]) == ["main"]


def test_whole_reads_are_merged_after_a_day() -> None:
    first = package("1", 9, "full", size=100)
    assert merged([first, package("2", 0.9, "full", size=100)]) == []
    assert merged([first, package("2", 1.1, "full", size=99)]) == []
    assert merged([first, package("2", 1.1, "full", size=100)]) == ["main"]


def test_what_is_merged_is_the_next_base() -> None:
    chain = [
        package("1", 90, "full"),
        package("2", 60),
        package("3", 40, "compacted", size=9, replaces=("1", "2")),
    ]
    assert merged(chain) == []
    assert merged([*chain, package("4", 2)]) == []
    assert merged([*chain, package("4", 31)]) == ["main"]


def test_the_cells_of_a_raw_table_are_merged_together() -> None:
    lone = [package("1", 50, "full", cell="us")]
    done = [package("2", 5, "compacted", cell="asia")]
    assert merged([package("1", 50, "full"), package("2", 31)], lone, done) == ["main", "us"]


def test_packages_go_once_what_replaces_them_is_as_old_as_is_kept() -> None:
    old = [package("1", 90, "full"), package("2", 60)]
    base = package("3", 30, "compacted", replaces=("1", "2"))
    later = [package("4", 20), package("5", 10, "compacted", replaces=("3", "4"))]
    assert landing.removable([*old, base, *later], NOW, KEEP) == (base, old)
    assert landing.removable([*old, base, *later], NOW, KEEP * 2) == (None, [])
    assert landing.removable([base, *later], NOW, KEEP) == (base, [])
    at_once = landing.removable([*old, base, *later], NOW, timedelta(0))
    assert at_once == (later[1], [*old, base, later[0]])


def test_landing_reaches_back_to_the_newest_base_that_lost_something() -> None:
    old = [package("1", 90, "full"), package("2", 60)]
    base = package("3", 30, "compacted", replaces=("1", "2"))
    later = [package("4", 20), package("5", 10, "compacted", replaces=("3", "4")), package("6", 5)]
    assert chains.earliest_known_at([[*old, base, *later]]) is None
    assert chains.earliest_known_at([[old[1], base, *later]]) == base.finished_at
    assert chains.earliest_known_at([[base, *later]]) == base.finished_at
    assert chains.earliest_known_at([later[1:], [base, *later], old]) == later[1].finished_at


def test_what_was_known_at_an_instant_begins_with_the_base_before_it() -> None:
    old = [package("1", 90, "full"), package("2", 60)]
    base = package("3", 30, "compacted", replaces=("1", "2"))
    chain = [*old, base, package("4", 20)]
    at = {days: chains.known_at(chain, NOW - timedelta(days=days)) for days in (91, 90, 40, 25, 1)}
    assert at == {91: [], 90: old[:1], 40: old, 25: [base], 1: chain[2:]}


def test_a_clock_that_was_set_back_makes_no_age() -> None:
    ahead = replace(package("3", -1, "compacted"), replaces=("1",))
    assert landing.removable([package("1", 9), ahead], NOW, KEEP) == (None, [])
