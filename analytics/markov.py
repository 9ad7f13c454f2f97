"""Markov chain attribution: how much of the conversions is lost without a channel.

Customers walk from a start over states to `conversion` or `null`; a state is the last channels of a
path, as many as the order of the chain. The removal effect of a channel is 1 - P(conversion without
it) / P(conversion), where a walk that would come to the removed channel ends in `null` (Anderl,
Becker, von Wangenheim, Schumann: Mapping the customer journey, 2016). It is solved, not simulated.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analytics.paths import Counts, Floats, Paths

# Dense matrices of so many numbers at a time: 128 MB.
_NUMBERS_AT_A_TIME = 1 << 24


@dataclass(frozen=True, slots=True)
class Chain:
    """The states of a chain and which path goes where.

    State 0 is the start, where every path begins. `at` has the path of each step and `edge` the
    place of its transition in (`source`, `target`); `last` is the state that each path ends in, and
    `members` are the states that a channel leads to.
    """

    at: Counts
    edge: Counts
    source: Counts
    target: Counts
    last: Counts
    members: tuple[Counts, ...]
    states: int


def chain(paths: Paths, order: int = 1) -> Chain:
    """Return the chain of the given order, in which a state is the last `order` channels."""
    states: dict[tuple[int, ...], int] = {(): 0}
    edges: dict[tuple[int, int], int] = {}
    at: list[int] = []
    edge: list[int] = []
    last: list[int] = []
    for number, steps in enumerate(paths.steps):
        here = 0
        for length in range(1, len(steps) + 1):
            state = steps[max(0, length - order) : length]
            there = states.setdefault(state, len(states))
            at.append(number)
            edge.append(edges.setdefault((here, there), len(edges)))
            here = there
        last.append(here)
    members: list[list[int]] = [[] for _ in paths.channels]
    for state, number in states.items():
        if state:
            members[state[-1]].append(number)
    ends = np.array(list(edges), dtype=np.int64).reshape(-1, 2)
    return Chain(
        np.array(at, dtype=np.int64),
        np.array(edge, dtype=np.int64),
        ends[:, 0],
        ends[:, 1],
        np.array(last, dtype=np.int64),
        tuple(np.array(places, dtype=np.int64) for places in members),
        len(states),
    )


def removal_effects(paths: Paths, order: int = 1) -> Floats:
    """Return the removal effect of each channel, all 0 where nothing converted."""
    return effects(chain(paths, order), paths.converted[None], paths.lost[None])[0]


def effects(walks: Chain, converted: Counts, lost: Counts) -> Floats:
    """Return for each row of counts of the chain's paths the removal effect of each channel."""
    rows = converted.shape[0]
    result = np.zeros((rows, len(walks.members)))
    step = max(1, _NUMBERS_AT_A_TIME // walks.states**2)
    for first in range(0, rows, step):
        part = slice(first, first + step)
        result[part] = _effects(walks, converted[part], lost[part])
    return result


def _effects(walks: Chain, converted: Counts, lost: Counts) -> Floats:
    transitions, conversions = _probabilities(walks, converted, lost)
    # How often each state is visited from each other one: the fundamental matrix of the chain.
    visits = np.linalg.inv(np.eye(walks.states) - transitions)
    onwards = (visits @ conversions[:, :, None])[:, :, 0]  # P(conversion) from each state
    whole = onwards[:, 0]
    result = np.zeros((len(whole), len(walks.members)))
    for channel, states in enumerate(walks.members):
        # The walks through the channel's states, counted at the first of them: the inverse of the
        # remaining chain by the Schur complement, so that one inversion serves all channels.
        inside = visits[:, states[:, None], states[None, :]]
        through = np.linalg.solve(inside, onwards[:, states, None])[:, :, 0]
        lost_without = (visits[:, 0, states] * through).sum(axis=1)
        np.divide(lost_without, whole, out=result[:, channel], where=whole > 0)
    return np.clip(result, 0, 1)


def _probabilities(walks: Chain, converted: Counts, lost: Counts) -> tuple[Floats, Floats]:
    """Return P(state → state) and P(state → conversion) for each row; what is missing is null."""
    rows, size = converted.shape[0], walks.states
    transitions = np.zeros((rows, size, size))
    conversions = np.zeros((rows, size))
    for row, (orders, counts) in enumerate(_rows(converted, lost)):
        moved = np.bincount(walks.edge, counts[walks.at], minlength=len(walks.source))
        left = np.bincount(walks.source, moved, minlength=size)
        left += np.bincount(walks.last, counts, minlength=size)
        left[left == 0] = 1  # a state that nobody visits in this row leads nowhere
        transitions[row, walks.source, walks.target] = moved / left[walks.source]
        conversions[row] = np.bincount(walks.last, orders, minlength=size) / left
    return transitions, conversions


def _rows(converted: Counts, lost: Counts) -> Iterator[tuple[Floats, Floats]]:
    for orders, none in zip(converted, lost, strict=True):
        yield orders.astype(np.float64), (orders + none).astype(np.float64)
