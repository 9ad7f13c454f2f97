"""Decide which type holds all numbers of a column exactly, and cast to it without rounding.

DuckDB rounds silently when text has more decimals than the DECIMAL it is cast to, so no cast is
made before the digits of every value were counted. `plain`, `digits` and `decimals` are the SQL
functions of `functions.py`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_MOST_DIGITS = 38
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What a column's numbers need: digits before and after the point, and whether BIGINT does.

    `plain`: all are written without an exponent and such, so that they can be cast as they are.
    """

    exact: bool = True
    plain: bool = False
    bigint: bool = True
    digits: int = 0
    decimals: int = 0


def facts_sql(values: str, plain: str) -> list[str]:
    """Return the aggregates that make NumberFacts of a column and of `plain` of it."""
    return [
        f"count({values}) = count({plain})",
        f"bool_and({values} = {plain})",
        f"bool_and({_is_bigint(plain)}) filter ({plain} is not null)",
        f"max(digits({plain}))",
        f"max(decimals({plain}))",
    ]


def set_facts_sql(plain: str) -> list[str]:
    """Return the same aggregates over lists of plain numbers."""
    return [
        f"bool_and(not list_contains(list_transform({plain}, lambda n: n is null), true))",
        "false",
        f"bool_and(list_bool_and(list_transform({plain}, lambda n: {_is_bigint('n')})))",
        f"max(list_max(list_transform({plain}, lambda n: digits(n))))",
        f"max(list_max(list_transform({plain}, lambda n: decimals(n))))",
    ]


def _is_bigint(plain: str) -> str:
    return f"decimals({plain}) = 0 and try_cast(split_part({plain}, '.', 1) as bigint) is not null"


def facts_of(row: Sequence[Any]) -> NumberFacts:
    """Return the facts from the aggregates; without a value everything fits."""
    exact, plain, bigint, digits, decimals = row
    return NumberFacts(
        exact is not False, plain is True, bigint is not False, digits or 0, decimals or 0
    )


def number_type(facts: NumberFacts, recorded: str | None = None) -> str:
    """Return the narrowest of BIGINT, DECIMAL(38,s), VARCHAR that is exact; never narrower than
    the recorded type."""
    if not facts.exact or recorded == "VARCHAR":
        return "VARCHAR"
    decimals, digits = facts.decimals, facts.digits
    match = _DECIMAL.fullmatch(recorded or "")
    if match:
        decimals = max(decimals, int(match.group(2)))
    elif facts.bigint:
        return "BIGINT"
    elif recorded == "BIGINT":
        # rows that are no longer at the source keep their numbers of up to 19 digits
        digits = max(digits, 19)
    if digits + decimals > _MOST_DIGITS:
        return "VARCHAR"
    return f"DECIMAL({_MOST_DIGITS},{decimals})"


def number_cast(value: str, type_: str, facts: NumberFacts) -> str:
    """Return the cast of a VARCHAR expression to a type that holds all its numbers exactly."""
    if type_ == "VARCHAR":
        return value
    if facts.plain:
        return f"cast({value} as {type_})"
    if type_ == "BIGINT":
        return f"cast(plain({value}) as bigint)"
    return f"cast(plain({value}) as {type_})"


def fitting_cast(value: str, type_: str) -> str:
    """Return the cast to an exact numeric type, NULL where a value does not fit it exactly."""
    plain = f"plain({value})"
    match = _DECIMAL.fullmatch(type_)
    if match:
        whole, decimals = int(match.group(1)) - int(match.group(2)), int(match.group(2))
        return (
            f"case when decimals({plain}) <= {decimals} and digits({plain}) <= {whole}"
            f" then try_cast({plain} as {type_}) end"
        )
    return f"case when decimals({plain}) = 0 then try_cast({plain} as {type_}) end"
