"""Check what is asked of metrics before anything is computed."""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from extractors.errors import ConfigError
from warehouse.metrics.definitions import GRAINS, Definitions, Metric, did_you_mean, nearest

_CONDITION = re.compile(r"\s*(\w+)\s*(!=|=)\s*(.*)")


@dataclass(frozen=True, slots=True)
class Condition:
    """Rows whose dimension has one of the values, or, where `excludes`, none of them."""

    dimension: str
    values: tuple[str, ...]
    excludes: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: metrics, grouped by dimensions and times, of some rows and days.

    `first` and `last` are days of the reporting time zone and both count.
    """

    metrics: tuple[Metric, ...]
    by: tuple[str, ...]
    where: tuple[Condition, ...]
    first: date | None
    last: date | None


def question(
    definitions: Definitions,
    metrics: Sequence[str],
    by: Sequence[str] = (),
    where: Sequence[str] = (),
    first: date | None = None,
    last: date | None = None,
) -> Question:
    """Return a question that can be answered; ConfigError says what is wrong, and what there is.

    `by` holds dimensions and `day`, `week` (from Monday), `month`, `quarter` or `year`; `where`
    conditions as `channel=email,search` or `channel!=direct`, which must all hold. A dimension
    `campaign_id` may be called `campaign`.
    """
    found = [definitions.metric(name) for name in metrics]
    asked = tuple({metric.name: metric for metric in found}.values())
    groups = tuple(dict.fromkeys(_dimension(name, asked) for name in by))
    conditions = tuple(_condition(text, asked) for text in where)
    for metric in asked:
        for name in groups:
            _require(metric, name, metric.groups())
        for condition in conditions:
            _require(metric, condition.dimension, tuple(metric.dimensions))
        _require_needed(metric, groups, conditions)
        _require_whole_months(metric, first, last)
    if len(times := [name for name in groups if name in GRAINS]) > 1:
        raise ConfigError(f"group by one time, not by {' and '.join(times)}")
    if first and last and first > last:
        raise ConfigError(
            f"nothing lies between {first} and {last}: the first day is the later one"
        )
    return Question(asked, groups, conditions, first, last)


def _dimension(name: str, asked: Sequence[Metric]) -> str:
    """Return how the metrics call a dimension: `campaign` is `campaign_id` where none is that."""
    name = name.lower()
    longer = f"{name}_id"
    is_longer = all(name not in one.groups() and longer in one.dimensions for one in asked)
    return longer if is_longer else name


def _condition(text: str, asked: Sequence[Metric]) -> Condition:
    parts = _CONDITION.fullmatch(text)
    if not parts or not parts[3]:
        raise ConfigError(
            f"condition {text!r} is not understood; write DIMENSION=VALUE, DIMENSION=VALUE,VALUE"
            " or DIMENSION!=VALUE"
        )
    # MetricFlow reads filters as templates
    if re.search(r"[{}]", parts[3]):
        raise ConfigError(f"condition {text!r}: values with braces cannot be asked for")
    values = tuple(value.strip() for value in parts[3].split(","))
    return Condition(_dimension(parts[1], asked), values, parts[2] == "!=")


def _require(metric: Metric, name: str, known: Sequence[str]) -> None:
    if name not in known:
        if name in GRAINS and name not in metric.grains():
            raise ConfigError(
                f"{metric.name} is counted by {metric.grain}, which no {name} can be told of;"
                f" it can be grouped by {', '.join(metric.grains())}"
            )
        offered = did_you_mean(nearest(name, known))
        raise ConfigError(
            f"{metric.name} has no dimension {name}{offered}; it has {', '.join(known)}"
        )


def _require_needed(metric: Metric, by: Sequence[str], where: Sequence[Condition]) -> None:
    """Raise ConfigError where a metric would be summed over what repeats it, or over currencies."""
    needed = metric.needs
    one = any(
        condition.dimension == needed and not condition.excludes and len(condition.values) == 1
        for condition in where
    )
    if needed and needed not in by and not one:
        raise ConfigError(
            f"{metric.name} must not be summed over {needed}; add --by {needed}, or choose one with"
            f" --where {needed}=…"
        )


def _require_whole_months(metric: Metric, first: date | None, last: date | None) -> None:
    if metric.grain != "month":
        return
    if first and first.day != 1:
        raise ConfigError(f"{metric.name} is counted by month: {first} is not the first day of one")
    if last and last.day != monthrange(last.year, last.month)[1]:
        raise ConfigError(f"{metric.name} is counted by month: {last} is not the last day of one")
