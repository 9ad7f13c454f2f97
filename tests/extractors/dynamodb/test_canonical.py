"""Items that DynamoDB holds equal have one canonical text."""

import json
from typing import Any

import pytest

from extractors.dynamodb.canonical import (
    canonical_document,
    canonical_item,
    canonical_number,
    item_hash,
    plain_number,
)

ITEM: dict[str, Any] = {
    "b": {"M": {"z": {"N": "01.50"}, "a": {"SS": ["y", "x"]}}},
    "a": {"NS": ["10", "9", "1E1"]},
    "c": {"L": [{"BS": ["/w==", "AA=="]}, {"NULL": True}, {"BOOL": False}]},
    "é": {"S": ""},
}


def test_keys_sets_and_numbers_are_in_one_order_and_notation_at_every_depth() -> None:
    assert canonical_item(ITEM) == (
        '{"a":{"NS":["9","10","10"]},'
        '"b":{"M":{"a":{"SS":["x","y"]},"z":{"N":"1.5"}}},'
        '"c":{"L":[{"BS":["AA==","/w=="]},{"NULL":true},{"BOOL":false}]},'
        '"é":{"S":""}}'
    )


def test_the_hash_does_not_depend_on_order_or_notation() -> None:
    other = {
        "é": {"S": ""},
        "c": {"L": [{"BS": ["AA==", "/w=="]}, {"NULL": True}, {"BOOL": False}]},
        "a": {"NS": ["10", "1E+1", "9.0"]},
        "b": {"M": {"a": {"SS": ["x", "y"]}, "z": {"N": "1.5"}}},
    }
    assert item_hash(other) == item_hash(ITEM)


@pytest.mark.parametrize(
    "change",
    [
        {"é": {"NULL": True}},
        {"c": {"L": [{"NULL": True}, {"BS": ["/w==", "AA=="]}, {"BOOL": False}]}},
        {"é": {"B": ""}},
        {"f": {"NULL": True}},
    ],
)
def test_what_differs_in_dynamodb_differs_in_the_hash(change: dict[str, Any]) -> None:
    assert item_hash(ITEM | change) != item_hash(ITEM)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("0", "0"), ("-0", "0"), ("0.00", "0"), ("007", "7"), ("+5", "5"), (".5", "0.5"),
        ("1E2", "100"), ("1.20E-3", "0.0012"), ("-1.10", "-1.1"), ("9" * 38, "9" * 38),
        ("NaN", None), ("Infinity", None), ("", None), ("1e999999999", None), ("1_0", None),
        ("abc", None),
    ],
)  # fmt: skip
def test_a_number_has_one_plain_text(text: str, plain: str | None) -> None:
    assert plain_number(text) == plain


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1E2", "100"), ("9E37", "9" + "0" * 37), ("1E38", "1E+38"), ("-120E124", "-12E+125"),
        ("1E-130", f"0.{'0' * 129}1"), ("abc", "abc"),
    ],
)  # fmt: skip
def test_large_numbers_have_an_exponent_because_boto3_reads_38_digits(
    text: str, canonical: str
) -> None:
    assert canonical_number(text) == canonical


@pytest.mark.parametrize(
    "number", ["1.0", "01", "-0", "1E2", "-0.50", "+1", "1E40", "1" + "0" * 40]
)
def test_a_document_is_canonical_with_and_without_the_short_way(number: str) -> None:
    document = {"n": {"N": number}, "a": {"L": [{"N": "-0.5"}, {"N": "10"}, {"N": "0"}]}}
    expected = canonical_item({"m": {"M": document}})
    assert f'{{"m":{{"M":{canonical_document("M", json.dumps(document))}}}}}' == expected
