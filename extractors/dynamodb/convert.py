"""Turn the values of an attribute into a raw column: exactly, or not at all.

Every conversion is two SQL expressions: the value, and whether the item has a value that does not
fit (None where that cannot happen). An item with a misfit is quarantined, never loaded with a NULL.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from extractors.dynamodb.numbers import NumberFacts, fitting_cast, number_cast, number_type
from extractors.errors import ConfigError

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6}0*)?)?"
_ZONE = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
# What text must look like so that the cast drops nothing of it (a DATE would drop a time, a
# TIMESTAMP a zone; a TIMESTAMPTZ without zone would take the session's).
_PATTERNS = {
    "DATE": _DATE,
    "TIMESTAMP": f"{_DATE}[T ]{_CLOCK}",
    "TIMESTAMPTZ": f"{_DATE}[T ]{_CLOCK} ?{_ZONE}",
    "BOOLEAN": "true|false",
}
_EXACT = re.compile(r"BIGINT|DECIMAL\(\d+,\d+\)")
_SCALARS = re.compile(
    r"VARCHAR|BOOLEAN|BIGINT|DOUBLE|DATE|TIMESTAMP|TIMESTAMPTZ|BLOB|JSON|DECIMAL\((\d+),(\d+)\)"
)
_ELEMENT_TAGS = {"SS": "S", "NS": "N", "BS": "B"}


@dataclass(frozen=True, slots=True)
class Conversion:
    """The value of a raw column and the condition under which an item does not fit it."""

    type: str
    value: str
    misfit: str | None = None


def natural(tag: str, column: str, facts: NumberFacts, recorded: str | None) -> Conversion:
    """Return the column that holds values of one DynamoDB type without being told how."""
    match tag:
        case "S" | "BOOL":
            return Conversion("VARCHAR" if tag == "S" else "BOOLEAN", column)
        case "N":
            type_ = number_type(facts, recorded)
            return Conversion(type_, number_cast(column, type_, facts))
        case "B":
            return _checked("BLOB", column, f"try(from_base64({column}))")
        case "L" | "M":
            return Conversion("VARCHAR", f"document_{tag}({column})")
        case "SS":
            return Conversion("VARCHAR[]", f"list_sort({column})")
        case "NS":
            element = number_type(facts, recorded.removesuffix("[]") if recorded else None)
            cast = f"list_transform({column}, lambda n: {number_cast('n', element, facts)})"
            return Conversion(f"{element}[]", f"list_sort({cast})")
        case _:
            return _set("BLOB", column, lambda element: f"try(from_base64({element}))")


def declared_type(name: str, type_: str) -> str:
    """Return a declared type as DuckDB writes it; ConfigError where it is none of ours."""
    text = type_.upper().replace(" ", "")
    scalar = text.removesuffix("[]")
    match = _SCALARS.fullmatch(scalar)
    if match is None or (match.group(1) and not int(match.group(2)) <= int(match.group(1)) <= 38):
        raise ConfigError(
            f"columns: {name}: {type_} is not a column type; write VARCHAR, BOOLEAN, BIGINT,"
            " DECIMAL(p,s) (s ≤ p ≤ 38), DOUBLE, DATE, TIMESTAMP, TIMESTAMPTZ, BLOB, JSON, or one"
            " of them followed by []"
        )
    return text


def declared(values: Sequence[tuple[str, str]], type_: str) -> Conversion:
    """Return the column of a declared type for an attribute's values: (tag, SQL column) pairs."""
    conversions = [_declared(tag, column, type_) for tag, column in values]
    if not conversions:
        return Conversion(type_, f"cast(null as {type_})")
    misfits = [conversion.misfit for conversion in conversions if conversion.misfit]
    return Conversion(
        type_,
        # an item has one value of the attribute, so at most one of these is not NULL
        f"coalesce({', '.join(conversion.value for conversion in conversions)})",
        " or ".join(f"({misfit})" for misfit in misfits) or None,
    )


def _declared(tag: str, column: str, type_: str) -> Conversion:
    element = type_.removesuffix("[]")
    if element != type_:
        if tag in _ELEMENT_TAGS and _scalar(_ELEMENT_TAGS[tag], "e", element):
            return _set(element, column, lambda e: _scalar(_ELEMENT_TAGS[tag], e, element) or "")
        if tag == "L":
            return _list(element, column)
    elif value := _scalar(tag, column, type_):
        if value == column or tag in ("L", "M"):
            return Conversion(type_, value)
        return _checked(type_, column, value)
    return Conversion(type_, f"cast(null as {type_})", f"{column} is not null")


def _list(element: str, column: str) -> Conversion:
    """Return the list of a document's elements, which must all be of tags that fit the type."""
    tags = [tag for tag in ("S", "N", "B", "BOOL", "L", "M") if _scalar(tag, "e", element)]
    texts = f"element_texts({column}, '{' '.join(tags)}')"
    cast = "e" if element == "JSON" else _scalar(tags[0], "e", element)
    return Conversion(
        f"{element}[]",
        f"list_transform({texts}, lambda e: {cast})",
        f"{column} is not null and ({texts} is null or"
        f" len(list_filter({texts}, lambda e: ({cast}) is null)) > 0)",
    )


def _scalar(tag: str, value: str, type_: str) -> str | None:
    """Return the cast of one value (NULL: does not fit), None where no value of the tag fits."""
    match tag, type_:
        case ("S" | "N", "VARCHAR") | ("BOOL", "BOOLEAN"):
            return value
        case ("L" | "M", "VARCHAR" | "JSON"):
            return f"document_{tag}({value})"
        case ("S", "JSON"):
            return f"case when json_valid({value}) then {value} end"
        case ("B", "BLOB"):
            return f"try(from_base64({value}))"
        case ("S" | "N", "DOUBLE"):
            # only a double that prints as the very number it was made from
            double = f"try_cast(plain({value}) as double)"
            return (
                f"case when plain_number(cast({double} as varchar)) = plain_number({value})"
                f" then {double} end"
            )
        case ("S" | "N", _) if _EXACT.fullmatch(type_):
            return fitting_cast(value, type_)
        case ("S", _) if type_ in _PATTERNS:
            return (
                f"case when regexp_full_match({value}, '{_PATTERNS[type_]}')"
                f" then try_cast({value} as {type_}) end"
            )
        case _:
            return None


def _checked(type_: str, column: str, value: str) -> Conversion:
    return Conversion(type_, value, f"{column} is not null and ({value}) is null")


def _set(element: str, column: str, cast: Callable[[str], str]) -> Conversion:
    return Conversion(
        f"{element}[]",
        f"list_sort(list_transform({column}, lambda e: {cast('e')}))",
        f"{column} is not null and len(list_filter({column}, lambda e: ({cast('e')}) is null)) > 0",
    )
