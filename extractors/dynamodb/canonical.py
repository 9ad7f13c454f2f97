"""Put DynamoDB JSON into one canonical form: equal items have equal text, however they were read.

Map keys and sets are sorted and numbers are written plainly, at every depth; nothing else changes.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast

import orjson

# DynamoDB's numbers lie between 1E-130 and 1E+126; what is far beyond is not one of them, and
# writing it plainly would take as many digits as its exponent says.
_LARGEST_EXPONENT = 200

_MOST_DIGITS = 38

# A text without sets whose numbers are all plain needs its keys sorted and nothing else.
_NEEDS_WALK = re.compile(
    r'"[SNB]S"\s*:|"N"\s*:\s*"(?!(?:0|-?[1-9][0-9]{0,37}|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9])")'
)


def plain_number(text: str) -> str | None:
    """Return a number without exponent and needless zeros, None where the text is no number."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT or "_" in text:
        return None
    if not number:
        return "0"
    plain = f"{number:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def canonical_number(text: str) -> str:
    """Return the one text of a number: plain, but 1E+38 and beyond with an exponent.

    boto3 refuses to read more than 38 digits, be they zeros. What is no number stays as it is.
    """
    plain = plain_number(text)
    if plain is None:
        return text
    digits = plain.lstrip("-")
    if "." in digits or len(digits) <= _MOST_DIGITS:
        return plain
    significant = plain.rstrip("0")
    return f"{significant}E+{len(plain) - len(significant)}"


def _number_order(text: str) -> Decimal:
    return Decimal(plain_number(text) or 0)


def _value(tagged: Mapping[str, Any]) -> dict[str, Any]:
    ((tag, value),) = tagged.items()
    match tag:
        case "N":
            value = canonical_number(value)
        case "SS":
            value = sorted(value)
        case "NS":
            value = sorted(map(canonical_number, value), key=_number_order)
        case "BS":
            value = sorted(value, key=base64.b64decode)
        case "L":
            value = [_value(element) for element in value]
        case "M":
            value = {name: _value(element) for name, element in value.items()}
        case _:
            pass
    return {tag: value}


def _text(document: Any) -> str:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def canonical_document(tag: str, text: str) -> str:
    """Return the canonical text of an `L` or `M` value given as JSON text."""
    document = orjson.loads(text)
    if _NEEDS_WALK.search(text):
        document = _value({tag: document})[tag]
    return _text(document)


def element_texts(text: str, tags: Sequence[str]) -> list[str] | None:
    """Return the text of each element of an `L` value; None when one is of another type."""
    texts: list[str] = []
    for element in cast("list[dict[str, Any]]", orjson.loads(text)):
        ((tag, value),) = element.items()
        if tag not in tags:
            return None
        if tag in ("L", "M"):
            texts.append(_text(_value(element)[tag]))
        else:
            texts.append(str(value).lower() if tag == "BOOL" else value)
    return texts


def canonical_item(item: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the canonical text of an item in DynamoDB JSON (binary values as base64 text)."""
    return _text({name: _value(value) for name, value in item.items()})


def item_hash(item: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the sha256 of an item's canonical text."""
    return hashlib.sha256(canonical_item(item).encode()).hexdigest()
