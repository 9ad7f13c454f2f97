"""What DuckDB would drop, round or retype silently when left to itself, and we must not."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from extractors.dynamodb import decode, write
from extractors.dynamodb.segments import Pace
from extractors.errors import SourceError
from extractors.package import Manifest
from tests.extractors.dynamodb.helpers import quarantined, rows, types, values

ScanItems = Callable[..., list[Manifest]]


def item(number: int, **attributes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"pk": {"S": f"p{number:05d}"}, "sk": {"S": "-"}, **attributes}


def numbered(*attributes: dict[str, dict[str, Any]]) -> list[dict[str, dict[str, Any]]]:
    return [item(number, **given) for number, given in enumerate(attributes)]


def test_an_attribute_that_only_the_last_of_many_items_has_gets_its_column(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    (manifest,) = scan_items([*map(item, range(25_000)), item(25_000, late={"S": "x"})], page=5000)
    assert values(tmp_path, manifest, "late") == [None] * 25_000 + ["x"]


@pytest.mark.parametrize(
    ("value", "column", "expected"),
    [
        ({"N": "7"}, "a__n", 7),
        ({"M": {"x": {"S": "y"}}}, "a__m", '{"x":{"S":"y"}}'),
        ({"BOOL": False}, "a__bool", False),
        ({"SS": ["y", "x"]}, "a__ss", ["x", "y"]),
    ],
)
def test_a_type_that_one_item_among_many_has_gets_its_column(
    scan_items: ScanItems, tmp_path: Path, value: dict[str, Any], column: str, expected: Any
) -> None:
    many = [item(number, a={"S": "s"}) for number in range(5000)]
    many[1234]["a"] = value
    (manifest,) = scan_items(many, page=5000)
    assert types(manifest)["a"] == "VARCHAR"
    found = values(tmp_path, manifest, column)
    assert found[1234] == expected
    assert found.count(None) == 4999


def test_strings_that_look_like_something_else_stay_strings(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    texts = ["2024-01-01", "2024-01-01T10:00:00Z", "12:30:00", "1", "true", "null", "[1]", "",
             "5bc7a1e0-6a2f-4a3b-9f6e-0c1d2e3f4a5b", "1e5", "{}", "NULL"]  # fmt: skip
    (manifest,) = scan_items(
        [item(number, date={"S": text}, s={"S": text}) for number, text in enumerate(texts)]
    )
    assert types(manifest) == {"date": "VARCHAR", "pk": "VARCHAR", "s": "VARCHAR", "sk": "VARCHAR"}
    assert values(tmp_path, manifest, "s") == texts


def test_decimals_are_never_rounded(scan_items: ScanItems, tmp_path: Path) -> None:
    long = "0.12345678901234567890123456789012345678"
    (manifest,) = scan_items(numbered({"a": {"N": "1.5"}}, {"a": {"N": long}}))
    assert types(manifest)["a"] == "VARCHAR"
    assert values(tmp_path, manifest, "a") == ["1.5", long]


@pytest.mark.parametrize(
    ("numbers", "type_", "expected"),
    [
        (["1", "-9223372036854775808"], "BIGINT", [1, -(2**63)]),
        (["1", "9223372036854775808"], "DECIMAL(38,0)", [1, 2**63]),
        (["1", "2.50"], "DECIMAL(38,1)", [1, Decimal("2.5")]),
        (["5.00", "1E2"], "BIGINT", [5, 100]),
        (["9" * 38, "0"], "DECIMAL(38,0)", [int("9" * 38), 0]),
        (["9" * 38, "0.5"], "VARCHAR", ["9" * 38, "0.5"]),
        (["1E125", "1"], "VARCHAR", ["1E125", "1"]),
        (["1.50", "1E-130"], "VARCHAR", ["1.50", "1E-130"]),
        (["-0.001", "-12.3"], "DECIMAL(38,3)", [Decimal("-0.001"), Decimal("-12.3")]),
    ],
)
def test_numbers_get_the_narrowest_type_that_holds_all_of_them(
    scan_items: ScanItems, tmp_path: Path, numbers: list[str], type_: str, expected: list[Any]
) -> None:
    (manifest,) = scan_items(
        [item(number, n={"N": text}, ns={"NS": [text]}) for number, text in enumerate(numbers)]
    )
    assert types(manifest)["n"] == type_
    assert values(tmp_path, manifest, "n") == expected
    assert types(manifest)["ns"] == f"{type_}[]"
    assert values(tmp_path, manifest, "ns") == [[value] for value in expected]


def test_attributes_that_differ_in_letter_case_only_are_two_columns(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    (manifest,) = scan_items(
        numbered(
            {"Price": {"N": "1"}, "price": {"N": "2"}, "PRICE": {"S": "three"}},
            {"price": {"N": "4"}},
        )
    )
    assert [(c.name, c.source_name, c.type) for c in manifest.columns[2:5]] == [
        ("price", "PRICE", "VARCHAR"),
        ("price__2", "Price", "BIGINT"),
        ("price__3", "price", "BIGINT"),
    ]
    assert [
        (row["price"], row["price__2"], row["price__3"], row["_attributes"])
        for row in rows(tmp_path, manifest)
    ] == [
        ("three", 1, 2, '["PRICE","Price","pk","price","sk"]'),
        (None, None, 4, '["pk","price","sk"]'),
    ]


HOSTILE = [
    "'; drop table batch; --",
    '"; drop table batch; --',
    "') as x, (select 1) --",
    "STRUCT(S VARCHAR)",
    "a\\' b",
    "$1 ? {} :x %s",
    "new\nline\ttab\0nul",
    "item",
    "entity",
    "v0",
    "rowid",
    "select",
    "é",
    "É",
    "🛒",
    ".",
    "_attributes",
    "_deleted",
    "__",
    "1st",
    "S",
]


def test_no_attribute_name_can_change_a_statement(scan_items: ScanItems, tmp_path: Path) -> None:
    named = item(0, **{name: {"S": name} for name in HOSTILE})
    (manifest,) = scan_items([named, item(1)], columns={"declared": "VARCHAR"})
    row = rows(tmp_path, manifest)[0]
    found = {c.source_name: row[c.name] for c in manifest.columns if c.source_name in HOSTILE}
    assert found == {name: name for name in HOSTILE}
    assert all(c.name == "_attributes" or not c.name.startswith("_") for c in manifest.columns)


def test_no_value_of_a_hostile_item_is_lost_in_quarantine(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    named = item(0, bad={"S": "x"}, **{name: {"S": name} for name in HOSTILE})
    (manifest,) = scan_items([named], columns={"bad": "BIGINT"})
    (row,) = quarantined(tmp_path, manifest)
    assert (row["reason"], row["field"]) == ("does_not_fit", "bad")
    assert json.loads(row["payload"]) == named


def test_a_type_that_nobody_knows_fails_and_loses_nothing_silently(scan_items: ScanItems) -> None:
    many = [item(number, a={"S": "s"}) for number in range(100)]
    with pytest.raises(SourceError, match="found 302 .* pages held 303; .* the types of a"):
        scan_items([*many[:50], item(100, a={"X": "7"}), *many[50:]], page=101)
    with pytest.raises(SourceError, match="DynamoDB type X is not known to this version"):
        scan_items([item(100, a={"X": "7"})])


def test_a_large_scan_is_decoded_on_disk_and_in_several_parts(
    scan_items: ScanItems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "IN_MEMORY_BYTES", 1000)
    monkeypatch.setattr(write, "ROWS_PER_PART", 15)
    items = [item(number, n={"N": f"{number}.{number}"}) for number in range(100)]
    items[99]["n"] = {"S": "late"}
    (manifest,) = scan_items(items, page=10, pace=Pace(checkpoint_bytes=500))
    assert len(manifest.parts) == 7
    assert types(manifest)["n"] == "DECIMAL(38,2)"
    assert [row["n"] for row in rows(tmp_path, manifest)] == [
        *(Decimal(f"{number}.{number}") for number in range(99)),
        None,
    ]
    assert values(tmp_path, manifest, "n__s")[99] == "late"
