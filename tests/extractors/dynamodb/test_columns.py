"""Declared columns always exist, names stay, types only widen, misfits are quarantined."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from extractors.dynamodb.numbers import NumberFacts, number_type
from extractors.errors import ConfigError
from extractors.package import Manifest
from tests.extractors.dynamodb.helpers import quarantined, rows, types, values
from tests.extractors.dynamodb.test_traps import ScanItems, item, numbered


def test_the_type_with_most_values_gets_the_bare_name(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    (manifest,) = scan_items(
        numbered({"p": {"S": "n/a"}}, {"p": {"N": "1.5"}}, {"p": {"N": "2"}}, {"p": {"NULL": True}})
    )
    assert [(c.name, c.type, c.source_name, c.source_type) for c in manifest.columns] == [
        ("pk", "VARCHAR", "pk", "S"),
        ("sk", "VARCHAR", "sk", "S"),
        ("p", "DECIMAL(38,1)", "p", "N"),
        ("p__s", "VARCHAR", "p", "S"),
        ("_attributes", "VARCHAR", "", ""),
    ]
    assert [(row["p"], row["p__s"]) for row in rows(tmp_path, manifest)] == [
        (None, "n/a"), (Decimal("1.5"), None), (Decimal(2), None), (None, None),
    ]  # fmt: skip


def test_null_differs_from_missing_and_from_empty(scan_items: ScanItems, tmp_path: Path) -> None:
    (manifest,) = scan_items(numbered({"a": {"NULL": True}}, {}, {"a": {"S": ""}}))
    assert [(row["a"], row["_attributes"]) for row in rows(tmp_path, manifest)] == [
        (None, '["a","pk","sk"]'), (None, '["pk","sk"]'), ("", '["a","pk","sk"]'),
    ]  # fmt: skip


def test_documents_keep_dynamodbs_own_notation_and_sets_are_sorted(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    (manifest,) = scan_items(
        numbered(
            {
                "m": {"M": {"b": {"N": "1.0"}, "a": {"L": [{"S": "é"}, {"NULL": True}]}}},
                "ss": {"SS": ["b", "a", "B"]},
                "ns": {"NS": ["10", "9.5"]},
                "bs": {"BS": ["/w==", "AA=="]},
                "b": {"B": "AAEC"},
                "flag": {"BOOL": False},
            }
        )
    )
    (row,) = rows(tmp_path, manifest)
    assert row["m"] == '{"a":{"L":[{"S":"é"},{"NULL":true}]},"b":{"N":"1"}}'
    assert (row["ss"], row["ns"]) == (["B", "a", "b"], [Decimal("9.5"), Decimal(10)])
    assert (row["bs"], row["b"], row["flag"]) == ([b"\0", b"\xff"], b"\0\1\2", False)


def test_declared_columns_exist_when_no_item_has_them(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    declared = {"quantity": "BIGINT", "price": "DECIMAL(18,4)", "Seen At": "TIMESTAMPTZ"}
    for items in ([], numbered({})):
        (manifest,) = scan_items(items, columns=declared)
        assert types(manifest) == {
            "pk": "VARCHAR",
            "sk": "VARCHAR",
            "price": "DECIMAL(18,4)",
            "quantity": "BIGINT",
            "seen_at": "TIMESTAMPTZ",
        }
        assert len(rows(tmp_path, manifest)) == len(items)


FITTING = [
    ("DECIMAL(18,4)", {"N": "12.3400"}, Decimal("12.34")),
    ("DECIMAL(18,4)", {"S": "12.34"}, Decimal("12.34")),
    ("BIGINT", {"N": "1E3"}, 1000),
    ("DOUBLE", {"N": "0.1"}, 0.1),
    ("VARCHAR", {"N": "1.50"}, "1.50"),
    ("VARCHAR", {"M": {"b": {"S": "1"}, "a": {"N": "2"}}}, '{"a":{"N":"2"},"b":{"S":"1"}}'),
    ("JSON", {"L": [{"S": "x"}]}, '[{"S":"x"}]'),
    ("DATE", {"S": "2026-02-28"}, date(2026, 2, 28)),
    (
        "TIMESTAMPTZ",
        {"S": "2026-02-28T10:00:00.123Z"},
        datetime(2026, 2, 28, 10, 0, 0, 123000, tzinfo=UTC),
    ),
    ("TIMESTAMPTZ", {"S": "2026-02-28 10:00+02:00"}, datetime(2026, 2, 28, 8, tzinfo=UTC)),
    ("TIMESTAMP", {"S": "2026-02-28T10:00:00"}, datetime(2026, 2, 28, 10)),  # noqa: DTZ001
    ("BOOLEAN", {"S": "true"}, True),
    ("BLOB", {"B": "AAEC"}, b"\0\1\2"),
    ("VARCHAR[]", {"SS": ["b", "a"]}, ["a", "b"]),
    ("VARCHAR[]", {"L": [{"S": "b"}, {"N": "1"}]}, ["b", "1"]),
    ("DECIMAL(9,2)[]", {"L": [{"N": "2.5"}, {"N": "1"}]}, [Decimal("2.50"), Decimal("1.00")]),
    ("BIGINT[]", {"NS": ["10", "9"]}, [9, 10]),
    ("BOOLEAN[]", {"L": [{"BOOL": True}]}, [True]),
    ("JSON[]", {"L": [{"M": {}}]}, ["{}"]),
    ("BIGINT", {"NULL": True}, None),
]


@pytest.mark.parametrize(("type_", "value", "expected"), FITTING)
def test_a_value_that_fits_its_declared_type_is_cast(
    scan_items: ScanItems, tmp_path: Path, type_: str, value: dict[str, Any], expected: Any
) -> None:
    (manifest,) = scan_items([item(0, a=value)], columns={"a": type_})
    assert (types(manifest)["a"], manifest.quarantined) == (type_, 0)
    assert values(tmp_path, manifest, "a") == [expected]


MISFITS = [
    ("DECIMAL(18,4)", {"N": "0.00001"}),
    ("DECIMAL(5,2)", {"N": "1234.5"}),
    ("DECIMAL(18,4)", {"S": "n/a"}),
    ("DECIMAL(18,4)", {"S": ""}),
    ("BIGINT", {"N": "1.5"}),
    ("BIGINT", {"N": "9223372036854775808"}),
    ("BIGINT", {"BOOL": True}),
    ("DOUBLE", {"N": "0.12345678901234567890"}),
    ("DATE", {"S": "2026-02-30"}),
    ("DATE", {"S": "2026-02-28T10:00:00"}),
    ("TIMESTAMP", {"S": "2026-02-28T10:00:00Z"}),
    ("TIMESTAMPTZ", {"S": "2026-02-28T10:00:00"}),
    ("TIMESTAMPTZ", {"S": "2026-02-28T10:00:00.1234567Z"}),
    ("TIMESTAMPTZ", {"S": "yesterday"}),
    ("BOOLEAN", {"S": "yes"}),
    ("VARCHAR", {"SS": ["a"]}),
    ("VARCHAR", {"B": "AAEC"}),
    ("JSON", {"S": "{"}),
    ("VARCHAR[]", {"L": [{"S": "a"}, {"NULL": True}]}),
    ("VARCHAR[]", {"S": "a"}),
    ("BIGINT[]", {"NS": ["1", "1.5"]}),
    ("BIGINT[]", {"L": [{"N": "x"}]}),
    ("DATE[]", {"BS": ["AAEC"]}),
]


@pytest.mark.parametrize(("type_", "value"), MISFITS)
def test_a_value_that_does_not_fit_quarantines_its_item_and_no_other(
    scan_items: ScanItems, tmp_path: Path, type_: str, value: dict[str, Any]
) -> None:
    bad, good = item(0, a=value, b={"S": "kept"}), item(1)
    (manifest,) = scan_items([bad, good], columns={"a": type_})
    assert (manifest.rows, manifest.quarantined) == (1, 1)
    assert values(tmp_path, manifest, "pk") == ["p00001"]
    (row,) = quarantined(tmp_path, manifest)
    assert (row["reason"], row["field"]) == ("does_not_fit", "a")
    assert row["row_key"] == '{"pk":{"S":"p00000"},"sk":{"S":"-"}}'
    assert json.loads(row["payload"]) == bad


def test_a_type_may_be_declared_for_a_column_of_its_own(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    (manifest,) = scan_items(
        numbered({"p": {"N": "1"}}, {"p": {"S": "free"}}),
        columns={"p": "DECIMAL(18,4)", "p__s": "VARCHAR"},
    )
    assert [(row["p"], row["p__s"]) for row in rows(tmp_path, manifest)] == [
        (Decimal(1), None), (None, "free"),
    ]  # fmt: skip


def test_a_declared_column_for_one_type_leaves_the_bare_name_to_the_others(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    (manifest,) = scan_items(
        numbered({"p": {"N": "1"}}, {"p": {"S": "a"}}, {"p": {"S": "b"}}),
        columns={"p__s": "VARCHAR"},
    )
    assert [(row["p"], row["p__s"]) for row in rows(tmp_path, manifest)] == [
        (1, None), (None, "a"), (None, "b"),
    ]  # fmt: skip


@pytest.mark.parametrize("type_", ["FLOAT", "INTERVAL", "DECIMAL(39,2)", "x); drop", "VARCHAR[][]"])
def test_a_type_that_is_none_of_ours_is_refused(scan_items: ScanItems, type_: str) -> None:
    with pytest.raises(ConfigError, match="columns: a: .* is not a column type"):
        scan_items([], columns={"a": type_})


def again(scan_items: ScanItems, before: Manifest, items: list[Any], **more: Any) -> Manifest:
    (manifest,) = scan_items(items, types={"items": before.columns}, **more)
    return manifest


def test_names_and_types_of_earlier_packages_stay(scan_items: ScanItems, tmp_path: Path) -> None:
    (first,) = scan_items(
        numbered({"p": {"N": "1.25"}, "Q": {"S": "x"}, "gone": {"S": "x"}}, {"p": {"N": "2"}})
    )
    second = again(
        scan_items,
        first,
        numbered({"p": {"S": "a"}, "q": {"S": "y"}}, {"p": {"S": "b"}}, {"p": {"N": "3"}}),
    )
    assert types(second) == {
        "pk": "VARCHAR",
        "sk": "VARCHAR",
        "gone": "VARCHAR",
        "p": "DECIMAL(38,2)",
        "p__s": "VARCHAR",
        "q": "VARCHAR",
        "q__2": "VARCHAR",
    }
    assert [
        (row["p"], row["p__s"], row["q"], row["q__2"], row["gone"])
        for row in rows(tmp_path, second)
    ] == [(None, "a", None, "y", None), (None, "b", None, None, None), (3, None, None, None, None)]
    third = again(scan_items, second, numbered({"p": {"N": "1"}}))
    assert types(third) == types(second)


@pytest.mark.parametrize(
    ("recorded", "facts", "type_"),
    [
        (None, NumberFacts(), "BIGINT"),
        ("BIGINT", NumberFacts(bigint=False, digits=3, decimals=2), "DECIMAL(38,2)"),
        ("BIGINT", NumberFacts(bigint=False, digits=1, decimals=20), "VARCHAR"),
        ("BIGINT", NumberFacts(bigint=False, digits=38), "DECIMAL(38,0)"),
        ("DECIMAL(38,2)", NumberFacts(digits=1), "DECIMAL(38,2)"),
        ("DECIMAL(38,2)", NumberFacts(bigint=False, digits=1, decimals=4), "DECIMAL(38,4)"),
        ("DECIMAL(38,2)", NumberFacts(bigint=False, digits=37, decimals=0), "VARCHAR"),
        ("DECIMAL(18,4)", NumberFacts(bigint=False, digits=1, decimals=1), "DECIMAL(38,4)"),
        ("VARCHAR", NumberFacts(), "VARCHAR"),
        ("BIGINT", NumberFacts(exact=False), "VARCHAR"),
    ],
)
def test_number_types_only_widen(recorded: str | None, facts: NumberFacts, type_: str) -> None:
    assert number_type(facts, recorded) == type_


def test_a_type_that_was_declared_once_is_kept(scan_items: ScanItems, tmp_path: Path) -> None:
    (first,) = scan_items(numbered({"at": {"S": "2026-01-01"}}), columns={"at": "DATE"})
    second = again(scan_items, first, numbered({"at": {"S": "2026-01-02"}}, {"at": {"S": "?"}}))
    assert (types(second)["at"], second.rows, second.quarantined) == ("DATE", 1, 1)
    assert values(tmp_path, second, "at") == [date(2026, 1, 2)]


def test_a_declared_column_that_no_item_had_takes_the_attribute_that_comes(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    (first,) = scan_items([], columns={"quantity": "BIGINT"})
    (second,) = scan_items(
        numbered({"Quantity": {"N": "2"}}),
        columns={"quantity": "BIGINT"},
        types={"items": first.columns},
    )
    assert values(tmp_path, second, "quantity") == [2]
