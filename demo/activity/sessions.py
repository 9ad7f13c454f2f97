"""The visits around each tracked order: whose, when, how long, and how the visitor came.

Every visit is drawn from the order it surrounds, so that further orders change none. Two visits of
one visitor that are laid around different orders may therefore meet: `answers` joins them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.activity.columns import DAY, Flags, Millis, Places
from demo.activity.devices import people
from demo.activity.tracked import Tracked, local_days
from demo.draws import Draws, Keys, derived, quantiles
from demo.parameters import Parameters

# What a visit is: it ends with the order, leads to it, is another one of the same person, or of
# somebody else.
BUYING, JOURNEY, RETURN, STRANGER = range(4)

JOURNEYS = (0.45, 0.25, 0.15, 0.10, 0.05)  # orders with 0, 1, 2, 3 and 4 visits before them
RETURNS = (0.35, 0.30, 0.20, 0.10, 0.05)  # other visits of the same person
DAYS_BEFORE = 29  # visits that lead to an order come at most so long before
NEVER = 1 << 30  # a click number that no visit reaches

# How busy the hours are, from the busiest one on.
HOURS = (
    *(1.0, 0.8, 0.45, 0.2, 0.1, 0.06, 0.05, 0.05, 0.08, 0.12, 0.2, 0.3),
    *(0.38, 0.42, 0.45, 0.45, 0.45, 0.45, 0.48, 0.52, 0.58, 0.66, 0.78, 0.9),
)
# Seconds between two clicks of a person; below the half hour that ends a visit.
GAPS = ((0.0, 3.0), (0.5, 24.0), (0.9, 110.0), (0.99, 500.0), (1.0, 1500.0))


@dataclass(frozen=True)
class Sessions:
    """One element per visit; `clicks` visits of pages each, laid out in `Clicks`."""

    key: Keys
    order: Places  # place of the order in Tracked
    kind: NDArray[np.int64]
    visitor: Keys
    customer: Places  # place in Tracked.customers of the person; -1: nobody knows
    signed_in: NDArray[np.int64]  # number of the first click with a customer; -1: all; NEVER
    clicks: NDArray[np.int64]
    started: Millis  # the landing, or the first click of who came directly
    is_bot: Flags

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True)
class Clicks:
    """One element per click on a product, visit by visit."""

    key: Keys
    session: Places
    number: NDArray[np.int64]  # from 0
    at: Millis
    before: Millis  # milliseconds since the landing or the click before
    after: Millis  # milliseconds until the click after; 30 seconds after the last one


def sessions(
    orders: Tracked, opened: int, seed: int, parameters: Parameters
) -> tuple[Sessions, Clicks]:
    """Return all visits of the history, those of one order together; `opened` in milliseconds."""
    order, kind, number = _laid_out(orders, seed, parameters)
    key = derived(orders.keys[order], f"{seed}/visit", kind * 1000 + number)
    draws = Draws(seed, "visit", key)
    clicks = np.rint(quantiles(parameters.session_clicks, draws.uniform("clicks"))).astype(np.int64)
    clicks = np.maximum(clicks, 1)
    is_stranger = kind == STRANGER
    is_bot = is_stranger & (draws.uniform("bot") < parameters.bots)
    customer = np.where(is_stranger, -1, orders.customer[order])
    at = _page_times(key, clicks, is_bot, seed)
    lasted = np.bincount(at.session, at.before, len(key)).astype(np.int64)
    buying_start = orders.ordered_at[order] - lasted - _checkout_time(draws)
    started = np.where(kind == BUYING, buying_start, 0)
    others = kind != BUYING
    day = local_days(orders.ordered_at)[order] + _day_offset(kind, draws) * DAY
    started[others] = (day + _hour(draws, parameters))[others]
    # Before there was a shop nobody came: such a visit happens as long after the opening, and leads
    # to no order.
    early = others & (started < opened)
    started[early] += 2 * DAY * (-((started - opened) // DAY))[early]
    kind = np.where(early & (kind == JOURNEY), RETURN, kind)
    signs = draws.uniform("signs in") < np.where(
        kind == BUYING, parameters.sign_in_buying, parameters.sign_in_others
    )
    from_click = (draws.uniform("signed in from") * clicks).astype(np.int64)
    from_click[draws.uniform("signed in before") < 0.35] = -1
    found = Sessions(
        key=key,
        order=order,
        kind=kind,
        visitor=_visitors(orders, order, kind, customer, key, draws, seed, parameters),
        customer=customer,
        signed_in=np.where(signs & (customer >= 0), from_click, NEVER),
        clicks=clicks,
        started=started,
        is_bot=is_bot,
    )
    return found, _moved(at, started)


def _laid_out(
    orders: Tracked, seed: int, parameters: Parameters
) -> tuple[Places, NDArray[np.int64], NDArray[np.int64]]:
    """Return order, kind and number of each visit: so many that the wanted share ends in orders."""
    draws = Draws(seed, "journey", orders.keys)
    sells = orders.wanted[:, 0] >= 0
    journeys = draws.choices("journeys", JOURNEYS)
    returns = draws.choices("returns", RETURNS)
    known = sum(n * share for n, share in enumerate(JOURNEYS)) + sum(
        n * share for n, share in enumerate(RETURNS)
    )
    mean = max(0.0, 1 / parameters.converting_sessions - 1 - known)
    # Up to twice the mean, rounded so that the mean stays.
    strangers = (2 * mean * draws.uniform("strangers") + draws.uniform("rounded")).astype(np.int64)
    counts = np.stack([np.ones_like(journeys), journeys, returns, strangers], axis=1)
    counts[~sells] = 0
    flat = counts.ravel()
    total = np.arange(flat.sum())
    number = total - np.repeat(np.cumsum(flat) - flat, flat)
    cell = np.repeat(np.arange(len(flat)), flat)
    return cell // 4, cell % 4, number


def _page_times(key: Keys, clicks: NDArray[np.int64], is_bot: Flags, seed: int) -> Clicks:
    """Return the clicks of visits that start at 0: the first one comes soon after the landing."""
    session = np.repeat(np.arange(len(key)), clicks)
    number = np.arange(len(session)) - np.repeat(np.cumsum(clicks) - clicks, clicks)
    click = derived(key[session], "click", number)
    draws = Draws(seed, "click", click)
    human = quantiles(GAPS, draws.uniform("gap"))
    human[number == 0] = 1.5 + 8 * draws.uniform("gap")[number == 0]
    machine = 0.2 + 0.6 * draws.uniform("gap")
    before = np.rint(1000 * np.where(is_bot[session], machine, human)).astype(np.int64)
    since = np.cumsum(before)
    first = np.cumsum(clicks) - clicks
    at = since - (since[first] - before[first])[session]
    after = np.full(len(session), 30_000, np.int64)
    is_last = number == clicks[session] - 1
    after[~is_last] = before[1:][~is_last[:-1]]
    return Clicks(click, session, number, at, before, after)


def _moved(clicks: Clicks, started: Millis) -> Clicks:
    at = clicks.at + started[clicks.session]
    return Clicks(clicks.key, clicks.session, clicks.number, at, clicks.before, clicks.after)


def _checkout_time(draws: Draws) -> Millis:
    """Return the milliseconds between the last click and the order."""
    return np.rint(60_000 + 150_000 * draws.uniform("checkout")).astype(np.int64)


def _day_offset(kind: NDArray[np.int64], draws: Draws) -> NDArray[np.int64]:
    """Return how many days after the order's day a visit begins."""
    share = draws.uniform("day")
    before = -1 - (share**1.7 * (DAYS_BEFORE - 1)).astype(np.int64)
    later = 1 + (share * 20).astype(np.int64)
    around = (share * 7).astype(np.int64) - 3
    return np.choose(kind, [np.zeros_like(before), before, later, around])


def _hour(draws: Draws, parameters: Parameters) -> Millis:
    """Return the time of day at which people browse, in milliseconds."""
    weights = np.roll(HOURS, parameters.browsing_peak_hour)
    hours = draws.choices("hour", weights / weights.sum())
    return (hours * 3_600_000 + draws.uniform("minute") * 3_600_000).astype(np.int64)


def _visitors(
    orders: Tracked,
    order: Places,
    kind: NDArray[np.int64],
    customer: Places,
    key: Keys,
    draws: Draws,
    seed: int,
    parameters: Parameters,
) -> Keys:
    """Return the browser of each visit: the order's own one, or another device of the person."""
    found = orders.visitor[order].copy()
    stranger = kind == STRANGER
    found[stranger] = derived(key[stranger], "browser")
    elsewhere = (customer >= 0) & (kind != BUYING)
    owned = people(orders.customers, seed, parameters)
    found[elsewhere] = owned.visitors(
        customer[elsewhere], draws.uniform("second")[elsewhere], draws.uniform("shared")[elsewhere]
    )
    return found
