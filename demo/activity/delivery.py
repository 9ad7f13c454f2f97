"""When what happened reaches the shop's stores: soon, late, twice, or with a wrong time on it."""

from dataclasses import dataclass

import numpy as np

from demo.activity.columns import DAY, Flags, Millis, Places
from demo.draws import Draws, Keys
from demo.parameters import Parameters

MINUTE = 60_000


@dataclass(frozen=True)
class Deliveries:
    """One element per delivery; `event` is the place of the event that it delivers."""

    event: Places
    received: Millis
    is_again: Flags

    def until(self, now: int) -> "Deliveries":
        """Return the deliveries that arrived before `now`."""
        there = self.received < now
        return Deliveries(self.event[there], self.received[there], self.is_again[there])


def delivered(
    key: Keys, at: Millis, soon: tuple[int, int], seed: int, parameters: Parameters
) -> Deliveries:
    """Return the deliveries of events: `soon` milliseconds after they happened, or much later."""
    draws = Draws(seed, "delivery", key)
    least, most = soon
    delay = least + (most - least) * draws.uniform("delay")
    late = 5 * MINUTE + (3 * DAY - 5 * MINUTE) * draws.uniform("lateness")
    delay = np.where(draws.uniform("late") < parameters.late_events, late, delay).astype(np.int64)
    again = np.flatnonzero(draws.uniform("twice") < parameters.duplicate_events)
    later = 30_000 + (600_000 * draws.uniform("again")[again]).astype(np.int64)
    first = np.arange(len(key))
    return Deliveries(
        event=np.concatenate([first, again]),
        received=np.concatenate([at + delay, at[again] + delay[again] + later]),
        is_again=np.concatenate([np.zeros(len(first), bool), np.ones(len(again), bool)]),
    )


def told(key: Keys, at: Millis, seed: int, parameters: Parameters) -> Millis:
    """Return the times that browsers tell: some clocks are days ahead or weeks behind."""
    draws = Draws(seed, "clock", key)
    wrong = draws.uniform("wrong") < parameters.wrong_clocks
    is_ahead = draws.uniform("ahead") < 0.5
    ahead = (1 + 5 * draws.uniform("days")) * DAY
    behind = -(12 + 400 * draws.uniform("days")) * DAY
    shift = np.where(is_ahead, ahead, behind).astype(np.int64)
    return at + np.where(wrong, shift, 0)
