"""The data-driven models give the published answers, and those of a brute force."""

import itertools
import math
import random
from collections.abc import Sequence
from fractions import Fraction
from time import process_time

import numpy as np
import pytest

from analytics import bootstrap, markov, shapley
from analytics.paths import Paths, counted

Rows = list[tuple[Sequence[str], int, int]]


def removal(rows: Rows, order: int = 1) -> dict[str, float]:
    paths = counted(rows)
    effects = markov.removal_effects(paths, order)
    return dict(zip(paths.channels, effects.tolist(), strict=True))


def values(rows: Rows) -> dict[str, Fraction]:
    paths = counted(rows)
    return dict(zip(paths.channels, shapley.values(paths), strict=True))


def shares(effects: dict[str, float]) -> dict[str, float]:
    whole = sum(effects.values())
    return {channel: effect / whole for channel, effect in effects.items()}


def test_three_channels_as_analyzecore_works_them_out() -> None:
    """S. Bryl, analyzecore.com/2016/08/03/attribution-model-r-part-1: C1 20 %, C2 and C3 40 %."""
    rows: Rows = [(("C1", "C2", "C3"), 1, 0), (("C1",), 0, 1), (("C2", "C3"), 0, 1)]
    assert removal(rows) == pytest.approx({"C1": 0.5, "C2": 1, "C3": 1}, abs=1e-12)
    assert shares(removal(rows)) == pytest.approx({"C1": 0.2, "C2": 0.4, "C3": 0.4}, abs=1e-12)


def test_two_channels_as_puzyrov_works_them_out() -> None:
    """serhiipuzyrov.com/2019/07/markov-chain-attribution-simple-explanation-of-removal-effect.

    P(conversion) is 0.8, without Google Ads 0.2, without mailing 0.4.
    """
    rows: Rows = [(("google ads",), 2, 1), (("mailing",), 1, 0), (("google ads", "mailing"), 1, 0)]
    assert removal(rows) == pytest.approx({"google ads": 0.75, "mailing": 0.5}, abs=1e-12)
    assert shares(removal(rows)) == pytest.approx({"google ads": 0.6, "mailing": 0.4}, abs=1e-12)


def test_three_channels_shared_by_shapley_as_published() -> None:
    """github.com/YashKothane/Final-Project-8th-sem, "Shapley Value.ipynb", times 100.

    The worth of a coalition is the sum over its subsets; published are 0.45, 0.215 and 0.335.
    """
    rows: Rows = [
        (("Facebook",), 18, 0),
        (("Google",), 4, 0),
        (("LinkedIn",), 8, 0),
        (("Facebook", "Google"), 10, 0),
        (("Facebook", "LinkedIn"), 26, 0),
        (("Google", "LinkedIn"), 7, 0),
        (("Facebook", "Google", "LinkedIn"), 27, 0),
    ]
    assert values(rows) == {
        "Facebook": Fraction(45),
        "Google": Fraction("21.5"),
        "LinkedIn": Fraction("33.5"),
    }


def random_rows(draw: random.Random) -> Rows:
    channels = [f"c{n}" for n in range(draw.randint(1, 6))]
    rows: Rows = [
        (
            [draw.choice(channels) for _ in range(draw.randint(1, 6))],
            draw.choice([0, 0, 1, 5]),
            draw.choice([0, 1, 2, 9]),
        )
        for _ in range(draw.randint(1, 12))
    ]
    return [(channels, 1, 0), *rows]


RANDOM_SETS = [random_rows(random.Random(seed)) for seed in range(200)]


def walked(rows: Rows, order: int, without: str | None) -> float:
    """Return P(conversion) by letting the probability flow until none is left on the way."""
    counts: dict[tuple[str, ...], dict[tuple[str, ...] | bool, int]] = {}
    for path, orders, none in rows:
        if not orders + none:
            continue
        here: tuple[str, ...] = ()
        for channel in path:
            there = (*here, channel)[-order:]
            moves = counts.setdefault(here, {})
            moves[there] = moves.get(there, 0) + orders + none
            here = there
        ends = counts.setdefault(here, {})
        ends[True] = ends.get(True, 0) + orders
        ends[False] = ends.get(False, 0) + none
    flow, converted = {(): 1.0}, 0.0
    while sum(flow.values()) > 1e-13:
        onwards: dict[tuple[str, ...], float] = {}
        for state, probability in flow.items():
            whole = sum(counts[state].values())
            for there, count in counts[state].items():
                part = probability * count / whole
                if there is True:
                    converted += part
                elif isinstance(there, tuple) and there[-1] != without:
                    onwards[there] = onwards.get(there, 0.0) + part
        flow = onwards
    return converted


@pytest.mark.parametrize("order", [1, 2, 3])
def test_removal_effects_equal_those_of_walks_without_each_channel(order: int) -> None:
    for rows in RANDOM_SETS:
        whole = walked(rows, order, None)
        expected = {
            channel: 1 - walked(rows, order, channel) / whole
            for channel in sorted({name for path, *_ in rows for name in path})
        }
        assert removal(rows, order) == pytest.approx(expected, abs=1e-9)


def test_shapley_values_equal_the_average_over_all_coalitions() -> None:
    for rows in RANDOM_SETS:
        channels = sorted({name for path, *_ in rows for name in path})

        def worth(coalition: frozenset[str], rows: Rows = rows) -> int:
            return sum(orders for path, orders, _ in rows if coalition.issuperset(path))

        expected = {channel: Fraction(0) for channel in channels}
        for size in range(len(channels)):
            weight = Fraction(
                math.factorial(size) * math.factorial(len(channels) - size - 1),
                math.factorial(len(channels)),
            )
            for others in map(frozenset, itertools.combinations(channels, size)):
                for channel in channels:
                    if channel not in others:
                        gain = worth(others | {channel}) - worth(others)
                        expected[channel] += weight * gain
        assert values(rows) == expected


def test_neither_the_order_of_rows_nor_their_splitting_changes_a_digit() -> None:
    for rows in RANDOM_SETS[:20]:
        split: Rows = [
            part
            for path, orders, none in reversed(rows)
            for part in ((path, orders, 0), (path, 0, none))
        ]
        assert removal(split, 2) == removal(rows, 2)
        assert values(split) == values(rows)


def test_paths_without_a_conversion_credit_nobody() -> None:
    rows: Rows = [(("a", "b"), 0, 3), ((), 7, 7)]
    assert removal(rows) == {"a": 0, "b": 0}
    assert values(rows) == {"a": 0, "b": 0}
    low, high = interval(rows, "seed")
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def interval(rows: Rows, seed: str) -> tuple[np.ndarray, np.ndarray]:
    paths = counted(rows)
    walks = markov.chain(paths)
    return bootstrap.interval(paths, lambda *counts: markov.effects(walks, *counts), seed)


def test_an_interval_holds_the_share_and_narrows_with_more_paths() -> None:
    rows: Rows = [(("a",), 9, 30), (("b",), 4, 20), (("a", "b"), 6, 10)]
    more: Rows = [(path, 100 * orders, 100 * none) for path, orders, none in rows]
    share = shares(removal(rows))["a"]
    (low, *_), (high, *_) = interval(rows, "2011-01-01 markov")
    (nearer_low, *_), (nearer_high, *_) = interval(more, "2011-01-01 markov")
    assert low < nearer_low < share < nearer_high < high
    # A hundred times the paths make it about ten times as narrow.
    assert 5 < (high - low) / (nearer_high - nearer_low) < 20


def test_the_same_seed_gives_the_same_interval_and_another_one_another() -> None:
    rows: Rows = [(("a",), 9, 30), (("b",), 4, 20), (("a", "b"), 6, 10)]
    first, again, other = interval(rows, "x"), interval(rows, "x"), interval(rows, "y")
    assert [ends.tolist() for ends in first] == [ends.tolist() for ends in again]
    assert [ends.tolist() for ends in first] != [ends.tolist() for ends in other]


def test_the_interval_of_a_share_known_by_formula_is_that_of_the_formula() -> None:
    """One channel a path: shapley's share is a binomial proportion."""
    paths = counted([(("a",), 400, 0), (("b",), 600, 0)])
    low, high = bootstrap.interval(
        paths, lambda converted, _: shapley.approximate(paths, converted), "seed"
    )
    spread = 1.96 * math.sqrt(0.4 * 0.6 / 1000)
    assert low[0] == pytest.approx(0.4 - spread, abs=0.01)
    assert high[0] == pytest.approx(0.4 + spread, abs=0.01)


def test_a_month_of_many_paths_takes_a_second_at_most() -> None:
    draw = random.Random(4)
    channels = [f"c{n}" for n in range(10)]
    paths: Paths = counted(
        ([draw.choice(channels) for _ in range(draw.randint(1, 6))], draw.randint(0, 3), 9)
        for _ in range(5_000)
    )
    started = process_time()
    walks = markov.chain(paths)
    bootstrap.interval(paths, lambda *counts: markov.effects(walks, *counts), "seed")
    assert process_time() - started < 2
