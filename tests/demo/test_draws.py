"""Random numbers that belong to their entity."""

import numpy as np

from demo.draws import Draws, derived, keys_of, quantiles


def test_a_further_entity_changes_no_number_of_the_others() -> None:
    few = Draws(1, "order", keys_of(["a", "b"]))
    more = Draws(1, "order", keys_of(["c", "b", "a"]))

    assert list(few.uniform("x")) == list(more.uniform("x")[[2, 1]])


def test_seed_kind_and_purpose_give_different_numbers() -> None:
    keys = keys_of(["a"])
    numbers = {
        float(draws.uniform(purpose)[0])
        for draws in (Draws(1, "order", keys), Draws(2, "order", keys), Draws(1, "user", keys))
        for purpose in ("x", "y")
    }

    assert len(numbers) == 6


def test_the_numbers_are_the_same_on_every_machine() -> None:
    assert list(Draws(1, "order", keys_of(["536365"])).uniform("x")) == [0.6740704158949712]


def test_numbers_are_spread_evenly_and_not_correlated() -> None:
    draws = Draws(1, "order", np.arange(100_000, dtype=np.uint64))
    counts = np.histogram(draws.uniform("x"), bins=10, range=(0, 1))[0]

    assert all(abs(counts - 10_000) < 400)
    assert abs(np.corrcoef(draws.uniform("x"), draws.uniform("y"))[0, 1]) < 0.02
    shares = np.bincount(draws.choices("z", (0.5, 0.3, 0.2))) / len(draws)
    assert all(abs(shares - [0.5, 0.3, 0.2]) < 0.01)


def test_derived_keys_belong_to_owner_purpose_and_number() -> None:
    keys = keys_of(["a", "b"])
    found = {
        int(key)
        for purpose in ("click", "search")
        for number in range(50)
        for key in derived(keys, purpose, number)
    }

    assert len(found) == 200
    assert list(derived(keys, "click", np.array([3, 4]))) == [
        derived(keys, "click", 3)[0],
        derived(keys, "click", 4)[1],
    ]


def test_quantiles_go_through_their_points_and_straight_between_them_on_a_log_scale() -> None:
    points = ((0.0, 1.0), (0.5, 4.0), (1.0, 64.0))

    found = quantiles(points, np.array([0.0, 0.25, 0.5, 0.75, 1.0]))

    assert found.round(9).tolist() == [1.0, 2.0, 4.0, 16.0, 64.0]
