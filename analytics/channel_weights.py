"""Fit the data-driven models to the paths of each month: what share of its orders a channel earns.

Shares of a month and model sum to exactly 1. Whatever order the paths come in, and however the
engine adds floats up, the same paths give the same digits: effects are rounded before they are
shared.
"""

# pyarrow ships no types: its tables are Unknown in our signatures.
# pyright: reportUnknownParameterType=false

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal

import pyarrow as pa

from analytics import bootstrap, markov, shapley
from analytics.paths import Counts, Floats, Paths, counted
from analytics.shares import largest_remainder

MODELS = ("markov", "shapley")
# Between the channels of a path's text, where `>` in a name is written `&gt;` and `&` is `&amp;`.
SEPARATOR = " > "
# A removal effect is known to so many digits on any machine; the last ones of a float are not.
_EFFECT_DIGITS = 10
# An interval of 200 draws says no more than this.
_INTERVAL_DIGITS = 6
_WHOLE = 10**12

SHARE = pa.decimal128(13, 12)
WEIGHTS = pa.schema(
    [
        pa.field("period", pa.date32(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("channel", pa.string(), nullable=False),
        pa.field("effect", pa.decimal128(38, 12), nullable=False),
        pa.field("share", SHARE, nullable=False),
        pa.field("share_low", SHARE, nullable=False),
        pa.field("share_high", SHARE, nullable=False),
        pa.field("is_final", pa.bool_(), nullable=False),
        pa.field("settings_id", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Period:
    """A month of orders and the paths that its weights are fitted to.

    They end on a day from `fit_from` to before `fit_before`.
    """

    period: date
    fit_from: date
    fit_before: date
    markov_order: int
    is_final: bool
    settings_id: str


@dataclass(frozen=True, slots=True)
class Weight:
    """What a channel earned in a month by a model; a row of `solved.channel_weights`."""

    period: date
    model: str
    channel: str
    effect: Decimal
    share: Decimal
    share_low: Decimal
    share_high: Decimal
    is_final: bool
    settings_id: str


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Effects, whole numbers in the same proportion, and how draws of paths give effects."""

    effects: list[Decimal]
    proportions: list[int]
    of_draws: Callable[[Counts, Counts], Floats]


def solve(
    path_counts: pa.Table, periods: pa.Table, kept: Mapping[date, Sequence[Weight]]
) -> pa.Table:
    """Return the weights of all months; a final month that is `kept` has those.

    `path_counts` has the columns ended_on, path, order_count, none_count, and `periods` period,
    fit_from, fit_before, markov_order, is_final, settings_id.
    """
    weights: list[Weight] = []
    for row in periods.select([field.name for field in fields(Period)]).to_pylist():
        period = Period(**row)
        is_kept = period.is_final and period.period in kept
        weights += kept[period.period] if is_kept else fit(period, path_counts)
    return _table(weights)


def fit(period: Period, path_counts: pa.Table) -> list[Weight]:
    """Return the weights of a month by model and channel, none where nothing converted."""
    paths = counted(_rows(path_counts, period))
    if not paths.converted.sum():
        return []
    fitted = {"markov": _markov(paths, period.markov_order), "shapley": _shapley(paths)}
    weights: list[Weight] = []
    for model in MODELS:
        found = fitted[model]
        shares = largest_remainder(_WHOLE, found.proportions, paths.channels)
        seed = f"{period.period} {model}"
        low, high = bootstrap.interval(paths, found.of_draws, seed)
        weights += [
            Weight(
                period.period,
                model,
                channel,
                found.effects[place],
                Decimal(shares[place]).scaleb(-12),
                _rounded(low[place], _INTERVAL_DIGITS),
                _rounded(high[place], _INTERVAL_DIGITS),
                period.is_final,
                period.settings_id,
            )
            for place, channel in enumerate(paths.channels)
        ]
    return weights


def _table(weights: Sequence[Weight]) -> pa.Table:
    """Return weights as a table in the order of period, model and channel."""
    ordered = sorted(weights, key=lambda weight: (weight.period, weight.model, weight.channel))
    columns = {name: [getattr(weight, name) for weight in ordered] for name in WEIGHTS.names}
    return pa.Table.from_pydict(columns, schema=WEIGHTS)


def _rows(path_counts: pa.Table, period: Period) -> Iterable[tuple[list[str], int, int]]:
    columns = ("ended_on", "path", "order_count", "none_count")
    for ended_on, path, orders, none in zip(
        *(path_counts.column(name).to_pylist() for name in columns), strict=True
    ):
        if period.fit_from <= ended_on < period.fit_before:
            yield [_name(written) for written in path.split(SEPARATOR)], orders, none


def _name(written: str) -> str:
    return written.replace("&gt;", ">").replace("&amp;", "&")


def _markov(paths: Paths, order: int) -> _Fitted:
    walks = markov.chain(paths, order)
    found = markov.effects(walks, paths.converted[None], paths.lost[None])[0]
    effects = [_rounded(effect, _EFFECT_DIGITS) for effect in found]
    return _Fitted(
        effects,
        [int(effect.scaleb(_EFFECT_DIGITS)) for effect in effects],
        lambda converted, lost: markov.effects(walks, converted, lost),
    )


def _shapley(paths: Paths) -> _Fitted:
    found = shapley.values(paths)
    whole = math.lcm(*(value.denominator for value in found))
    return _Fitted(
        [
            (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("1e-12"))
            for value in found
        ],
        [int(value * whole) for value in found],
        lambda converted, _: shapley.approximate(paths, converted),
    )


def _rounded(number: float, digits: int) -> Decimal:
    return Decimal(f"{number:.{digits}f}")
