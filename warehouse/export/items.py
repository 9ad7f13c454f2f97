"""Turn rows into DynamoDB items in DynamoDB's own notation, and weigh them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from extractors.errors import ConfigError
from warehouse.export.files import plain

LARGEST = 400 * 1024  # bytes of an item, names and values
LONGEST_PK = 2048  # bytes of a partition key
# Of numbers: digits, and the powers of ten of the first digit ("Naming rules and data types").
DIGITS, SMALLEST, GREATEST = 38, -130, 125

Value = Mapping[str, Any]
Item = dict[str, Value]


def attribute(value: Any) -> Value:
    """Return a value in DynamoDB's notation; numbers by their digits, so they stay exact.

    A double has the 12 digits that the content hash of a version counts. ValueError for a number
    that DynamoDB would refuse.
    """
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, float | Decimal | int):
        return {"N": _number(value)}
    if isinstance(value, datetime | date):
        return {"S": plain(value)}
    return {"S": str(value)}


def entries(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Value:
    """Return the rows of a list without whose it is; what is NULL is left out."""
    return {
        "L": [
            {
                "M": {
                    name: _attribute_of(columns[0], row[0], name, value)
                    for name, value in zip(columns[1:], row[1:], strict=True)
                    if value is not None
                }
            }
            for row in rows
        ]
    }


def _number(value: float | Decimal) -> str:
    """Return the digits of a number; one that is too close to nothing is nothing."""
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    number = Decimal(text)
    if number.is_finite():
        if not number or number.adjusted() < SMALLEST:
            return "0"
        digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
        if number.adjusted() <= GREATEST and len(digits) <= DIGITS:
            return f"{value:f}" if isinstance(value, Decimal) else text
    raise ValueError(f"{value}, no number that DynamoDB holds")


def _attribute_of(key: str, whose: Any, name: str, value: Any) -> Value:
    try:
        return attribute(value)
    except ValueError as error:
        raise ConfigError(f"{key} {whose!r}: {name} is {error}") from None


def fingerprint(value: Value) -> str:
    """Return a hash of a value in DynamoDB's notation that equal values share."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def size(item: Mapping[str, Value]) -> int:
    """Return the bytes that DynamoDB counts of an item, rounded up for numbers.

    Source: "DynamoDB item sizes and formats" in the DynamoDB developer guide.
    """
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Value) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "B":
            return len(held)
        case "N":
            return len(held) // 2 + 2
        case "L":
            return 3 + sum(1 + _size(part) for part in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(part) for name, part in held.items())
        case _:
            return 1


def units(item: Mapping[str, Value]) -> int:
    """Return the write units that putting an item costs: one for each begun kB."""
    return max(1, -(-size(item) // 1024))


def require_fitting(item: Mapping[str, Value], what: str) -> None:
    """Refuse an item that DynamoDB would not take."""
    if len(item["pk"]["S"].encode()) > LONGEST_PK:
        raise ConfigError(f"{what}: its id is longer than the {LONGEST_PK} bytes of a DynamoDB key")
    if (weight := size(item)) > LARGEST:
        raise ConfigError(
            f"{what}: {weight:,} bytes are more than the {LARGEST:,} that a DynamoDB item holds"
        )
