"""Ask a published version about metrics, and put the answers side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import duckdb

from extractors.errors import ConfigError
from extractors.naming import literal, quoted
from warehouse.metrics.definitions import Metric, did_you_mean, nearest
from warehouse.metrics.engine import Engine
from warehouse.metrics.questions import Question
from warehouse.publish.reader import Published

# Digits behind the point of what is divided: of money as in the marts, of shares as credits have.
PLACES = {"reporting_currency": Decimal("1e-4"), "payout_currency": Decimal("1e-4")}
OF_RATIOS = Decimal("1e-12")
# So many values fit a line that says which there are.
FEW = 12

Value = Any  # what DuckDB gives: date, text, bool, int, Decimal or None


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows by group: the groups' values in the order of the question, then one value per metric.

    `notes` say what is strange about the question: days that the data do not reach.
    """

    version: str
    question: Question
    rows: list[tuple[Value, ...]]
    notes: tuple[str, ...] = ()

    @property
    def head(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return (*self.question.by, *(metric.name for metric in self.question.metrics))


def answer(published: Published, engine: Engine, asked: Question) -> Answer:
    """Return the answer, sorted by its groups; a metric without any row of a group is None there.

    Each metric is asked for by itself: its figures do not hang on what else is asked. ConfigError:
    the version lacks a table or column of the definitions of now, or a value that is asked for.
    """
    notes = tuple(dict.fromkeys(filter(None, (_check(published, asked, m) for m in asked.metrics))))
    found: dict[tuple[Value, ...], dict[str, Value]] = {}
    for metric in asked.metrics:
        for *group, value in _rows(published, metric, engine.sql(asked, metric)):
            found.setdefault(tuple(group), {})[metric.name] = exact(metric, value)
    names = [metric.name for metric in asked.metrics]
    rows = [
        (*group, *(found[group].get(name) for name in names)) for group in sorted(found, key=_order)
    ]
    return Answer(published.version, asked, rows, notes)


def queries(engine: Engine, asked: Question) -> dict[str, str]:
    """Return the SQL of each metric of a question, by its name."""
    return {metric.name: engine.sql(asked, metric) for metric in asked.metrics}


def _check(published: Published, asked: Question, metric: Metric) -> str | None:
    """Return what to say where no day asked for has data; ConfigError: a value that no row has."""
    table = quoted(*metric.table)
    [(begins, ends)] = _rows(
        published, metric, f"SELECT min({metric.day})::DATE, max({metric.day})::DATE FROM {table}"
    )
    if begins is None:
        return None  # without rows there is no value to be mistaken about
    for condition in asked.where:
        column = metric.columns[condition.dimension]
        for value in condition.values:
            _require_value(published, metric, condition.dimension, column, value)
    if asked.last and asked.last < begins:
        return f"the data of {metric.name} begin on {begins}, after the days asked for"
    if asked.first and asked.first > ends:
        return f"the data of {metric.name} end on {ends}, before the days asked for"
    return None


def _require_value(
    published: Published, metric: Metric, dimension: str, column: str, value: str
) -> None:
    table = quoted(*metric.table)
    if _rows(published, metric, f"SELECT 1 FROM {table} WHERE {column} = {literal(value)} LIMIT 1"):
        return
    rows = _rows(published, metric, f"SELECT DISTINCT {column}::VARCHAR FROM {table}")
    known = sorted(row[0] for row in rows if row[0] is not None)
    offered = did_you_mean(nearest(value, known)) or (
        f"; there are {', '.join(known)}" if len(known) <= FEW else ""
    )
    raise ConfigError(
        f"{metric.name}: no row of {published.version} has {dimension} {value}{offered}"
    )


def _rows(published: Published, metric: Metric, sql: str) -> list[tuple[Value, ...]]:
    try:
        return published.execute(sql).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"{metric.name} cannot be told of {published.version}: {reason}; ask a newer version,"
            " or build one with `warehouse run`"
        ) from None
    except duckdb.ConversionException as error:
        raise ConfigError(f"{metric.name}: {str(error).splitlines()[0]}") from None


def exact(metric: Metric, value: Value) -> Value:
    """Return a metric's value: a sum as it is, the parts of a ratio divided.

    The quotient is rounded half away from zero; None where the denominator is 0 or nothing.
    """
    if not isinstance(value, Mapping):
        return value
    above, below = value["above"], value["below"]
    if above is None or not below:
        return None
    with localcontext(prec=80):
        quotient = Decimal(above) / Decimal(below)
        return quotient.quantize(PLACES.get(metric.unit, OF_RATIOS), ROUND_HALF_UP)


def _order(group: tuple[Value, ...]) -> list[tuple[bool, Value]]:
    return [(value is None, value) for value in group]
