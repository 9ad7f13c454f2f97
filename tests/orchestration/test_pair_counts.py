"""Counts that only what changed was added to equal those of all baskets, whatever changed."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from orchestration import kept_baskets, pair_counts

START = datetime(2026, 11, 1, tzinfo=UTC)
# kind, basket, product, time
Row = tuple[int, str, str, datetime]
TERMS = (6, "0.2", 2)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a build database in which all is counted once only, and then what changed."""
    monkeypatch.setattr(kept_baskets, "MOST_CHANGED", 1e9)
    with duckdb.connect() as connection:
        yield connection


def solved(
    connection: duckdb.DuckDBPyConnection,
    rows: list[Row],
    terms: tuple[int, str, int] = TERMS,
) -> tuple[Any, ...]:
    connection.execute("set timezone = 'UTC'; create schema if not exists intermediate")
    connection.execute(
        f"create or replace table {kept_baskets.TERMS} as select ?::bigint as basket_cap,"
        " ?::decimal(18, 9) as minimum_support, ?::bigint as minimum_baskets",
        terms,
    )
    connection.execute(
        f"create or replace table {kept_baskets.ROWS} (kind_number integer, basket_hash ubigint,"
        " product_id varchar, occurred_at timestamptz)"
    )
    if rows:
        connection.executemany(
            f"insert into {kept_baskets.ROWS} values ($1, hash($1, $2), $3, $4)", rows
        )
    for name in pair_counts.SOLVED:
        pair_counts.solve(connection, name)
    return tuple(
        connection.execute(f"from solved.{name} order by all").fetchall()
        for name in pair_counts.SOLVED
    )


def counted_anew(rows: list[Row], terms: tuple[int, str, int] = TERMS) -> tuple[Any, ...]:
    with duckdb.connect() as connection:
        return solved(connection, rows, terms)


def some(chance: random.Random, count: int) -> list[Row]:
    return [
        (
            chance.choice([1, 1, 2, 2, 2, 3]),
            f"basket {chance.randrange(12)}",
            f"product {round(12 * chance.random() ** 2)}",
            START + timedelta(hours=chance.randrange(24 * 9)),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_what_changed_is_added_to_what_was_counted(
    seed: int, kept: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    # where two baskets are enough, a pair of one is looked up with one more, else with two
    terms = (6 + seed % 2 * 4, "0.9", 2 + seed % 2)
    rows = some(chance, 60 + seed % 2 * 40)
    assert solved(kept, rows, terms) == counted_anew(rows, terms)
    found: list[tuple[list[Row], Any]] = []
    with monkeypatch.context() as patched:
        patched.setattr(kept_baskets, "_everything", None)
        for _ in range(6):
            # late and repeated rows, deleted ones, corrected ones, a merge of two baskets
            rows = [*rows, *some(chance, chance.randrange(12)), *chance.sample(rows, 3)]
            rows = chance.sample(rows, len(rows) - chance.randrange(12))
            rows[0] = (*rows[0][:2], "product 99", rows[0][3])
            rows[1] = (*rows[1][:3], rows[1][3] + timedelta(days=3))
            gone, into = (f"basket {chance.randrange(12)}" for _ in range(2))
            rows = [(row[0], into if row[1] == gone else row[1], *row[2:]) for row in rows]
            found.append((rows, solved(kept, rows, terms)))
    assert any(pairs for _, (pairs, _) in found)
    for given, counted in found:
        assert counted == counted_anew(given, terms)


def test_what_was_done_twice_shows_though_the_rows_of_its_day_are_alike(
    kept: duckdb.DuckDBPyConnection,
) -> None:
    one, other = ((2, "basket", product, START) for product in "ab")
    for rows in ([one], [one, one], [one, one, other], [one, one, other, other], [], [one, other]):
        assert solved(kept, rows) == counted_anew(rows)


def test_a_clock_that_stood_before_1970_hides_no_change(
    kept: duckdb.DuckDBPyConnection,
) -> None:
    before = datetime(1969, 12, 30, 12, tzinfo=UTC)
    rows = [(1, f"basket {n}", name, before) for n in range(2) for name in "abc"]
    for given in (rows, rows[1:], [*rows, (1, "basket 0", "d", before + timedelta(days=1))]):
        assert solved(kept, given) == counted_anew(given)


def test_a_pair_that_was_not_enough_is_when_less_is_asked(
    kept: duckdb.DuckDBPyConnection,
) -> None:
    rows = some(random.Random(1), 80)
    for terms in ((6, "0.25", 3), (6, "0.25", 2), (6, "0.01", 2), (6, "1", 4), (6, "1", 1)):
        assert solved(kept, rows, terms) == counted_anew(rows, terms)
    # a share of fewer baskets is fewer of them
    assert solved(kept, rows[:30], terms) == counted_anew(rows[:30], terms)


def test_what_a_pair_had_when_all_was_counted_is_looked_up_once_it_is_all_but_enough(
    kept: duckdb.DuckDBPyConnection,
) -> None:
    terms = (6, "1", 3)
    rows: list[Row] = [(2, f"basket {n}", name, START) for n, name in ((0, "a"), (0, "b"))]
    rows += [(2, f"other {n}", "c", START) for n in range(9)]
    known = "select count(*) from solved.kept_pairs"
    for day, expected in ((0, 0), (1, 0), (2, 1), (3, 1)):
        if day:
            later = START + timedelta(days=day)
            rows = [*rows, *((2, f"basket {day}", name, later) for name in "ab")]
        pairs, _ = solved(kept, rows, terms)
        assert pairs == counted_anew(rows, terms)[0]
        assert [pair[5] for pair in pairs] == ([day + 1] if day > 1 else [])
        assert kept.execute(known).fetchall() == [(expected,)]
    # of the one that was counted first nothing is left twice when it goes
    assert solved(kept, rows[2:], terms) == counted_anew(rows[2:], terms)
    # nor when less is asked, and all are looked up
    for terms in ((6, "1", 1), (6, "1", 2)):
        assert solved(kept, rows, terms) == counted_anew(rows, terms)


def test_a_kind_of_baskets_that_goes_and_comes_back_is_counted_as_before(
    kept: duckdb.DuckDBPyConnection,
) -> None:
    rows = some(random.Random(4), 80)
    views = [row for row in rows if row[0] == 2]
    for given in (rows, views, rows[:40], rows):
        assert solved(kept, given) == counted_anew(given)


def test_baskets_are_counted_anew_where_another_size_of_them_is_too_large(
    kept: duckdb.DuckDBPyConnection,
) -> None:
    rows = some(random.Random(2), 80)
    for cap in (6, 3, 8):
        assert solved(kept, rows, (cap, "0.25", 3)) == counted_anew(rows, (cap, "0.25", 3))


def test_all_is_counted_anew_where_much_changed_or_something_kept_is_missing() -> None:
    rows = some(random.Random(3), 200)
    anew = 0
    everything = kept_baskets._everything  # pyright: ignore[reportPrivateUsage]

    def noted(*arguments: Any) -> Any:
        nonlocal anew
        anew += 1
        return everything(*arguments)

    with duckdb.connect() as connection, pytest.MonkeyPatch.context() as patched:
        patched.setattr(kept_baskets, "_everything", noted)
        for given, expected in ((rows[:100], 1), (rows[:99], 1), (rows, 2), (rows, 2)):
            assert solved(connection, given) == counted_anew(given)
            # each is counted once in a database of its own as well
            anew -= 1
            assert anew == expected
        connection.execute("drop table solved.kept_days")
        assert solved(connection, rows) == counted_anew(rows)
        assert anew == 4
