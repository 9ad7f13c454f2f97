"""What each attribution model gives, by plain loops over one order's path."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from analytics.shares import largest_remainder

CREDIT_UNITS = 10**12
MONEY_UNITS = 10**4
# (credit, attributed revenue, attributed net revenue) by model and touchpoint
Credits = dict[tuple[str, str], tuple[Decimal, Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class Touch:
    """A touchpoint that an order's path considers."""

    touchpoint_id: str
    channel: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Settings:
    """What the models are set to in the order's month."""

    half_life_days: int = 7
    position_first: int = 40
    position_last: int = 40


def credited(
    path: Sequence[Touch],
    gross: Decimal,
    net: Decimal,
    shares: Mapping[str, Mapping[str, Decimal]],
    settings: Settings,
) -> Credits:
    """Return what each model gives each touchpoint of a path; touches without credit are absent.

    `shares` are those of the channels by data-driven model, in the order's month.
    """
    if not path:
        return {(model, "(none)"): (Decimal(1), gross, net) for model in MODELS}
    names = [touch.touchpoint_id for touch in path]
    found: Credits = {}
    for model in MODELS:
        weights = _weights(model, path, shares.get(model, {}), settings)
        if not any(weights):
            weights = [1 for _ in path]
        parts = largest_remainder(CREDIT_UNITS, weights, names)
        amounts = [
            largest_remainder(int(total * MONEY_UNITS), parts, names) for total in (gross, net)
        ]
        for name, part, revenue, net_revenue in zip(names, parts, *amounts, strict=True):
            if part:
                found[model, name] = (
                    Decimal(part) / CREDIT_UNITS,
                    Decimal(revenue) / MONEY_UNITS,
                    Decimal(net_revenue) / MONEY_UNITS,
                )
    return found


MODELS = (
    *("first_touch", "last_touch", "last_non_direct", "linear", "position_based", "time_decay"),
    *("markov", "shapley"),
)


def _weights(
    model: str, path: Sequence[Touch], shares: Mapping[str, Decimal], settings: Settings
) -> list[int]:
    """Return whole numbers in proportion to which the touches of a path share an order."""
    last = len(path) - 1
    if model == "first_touch":
        return [int(place == 0) for place in range(len(path))]
    if model == "last_touch":
        return [int(place == last) for place in range(len(path))]
    if model == "last_non_direct":
        named = [place for place, touch in enumerate(path) if touch.channel != "direct"]
        return [int(place == (named[-1] if named else last)) for place in range(len(path))]
    if model == "linear":
        return [1 for _ in path]
    if model == "position_based":
        return _by_position(len(path), settings)
    if model == "time_decay":
        ages = [(path[-1].occurred_at - touch.occurred_at).total_seconds() for touch in path]
        lives = [age / (settings.half_life_days * 86400) for age in ages]
        return [round(0.5**life * CREDIT_UNITS) for life in lives]
    touches = Counter(touch.channel for touch in path)
    return [
        math.floor(float(shares.get(one.channel, 0) * CREDIT_UNITS) * 10**6 / touches[one.channel])
        for one in path
    ]


def _by_position(count: int, settings: Settings) -> list[int]:
    first, last = Fraction(settings.position_first, 100), Fraction(settings.position_last, 100)
    if count == 1:
        return [1]
    if count == 2:
        parts = [first, last]
    else:
        parts = [first, *[(1 - first - last) / (count - 2)] * (count - 2), last]
    whole = math.lcm(*(part.denominator for part in parts))
    return [int(part * whole) for part in parts]
