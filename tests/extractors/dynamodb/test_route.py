"""Items of a single table go to entities by ordered rules; what no rule takes is quarantined."""

import json
from pathlib import Path
from typing import Any

import pytest

from extractors.dynamodb.lines import Shape
from extractors.dynamodb.route import Route, entity_columns, route_sql
from extractors.errors import ConfigError
from tests.extractors.dynamodb.helpers import quarantined, types, values
from tests.extractors.dynamodb.test_traps import ScanItems

ROUTES = [
    Route("carts", {"sk": {"begins_with": "CART#"}}, {"quantity": "BIGINT"}),
    Route("searches", {"type": {"equals": "search"}}),
    Route("big", {"size": {"equals": 10}, "gone": {"exists": False}}),
    Route("flags", {"flag": {"equals": True}}),
    Route("nulls", {"nothing": {"exists": True}}),
    Route("carts", {"sk": {"equals": "BASKET"}}, {"price": "DECIMAL(18,4)"}),
]
ITEMS: list[dict[str, dict[str, Any]]] = [
    {"pk": {"S": "01"}, "sk": {"S": "CART#1"}, "type": {"S": "search"}, "quantity": {"N": "2"}},
    {"pk": {"S": "02"}, "sk": {"S": "SEARCH#1"}, "type": {"S": "search"}, "query": {"S": "lamp"}},
    {"pk": {"S": "03"}, "sk": {"S": "-"}, "size": {"N": "1E1"}},
    {"pk": {"S": "04"}, "sk": {"S": "-"}, "size": {"N": "10.0"}, "gone": {"NULL": True}},
    {"pk": {"S": "05"}, "sk": {"S": "-"}, "size": {"S": "10"}},
    {"pk": {"S": "06"}, "sk": {"S": "-"}, "flag": {"BOOL": True}},
    {"pk": {"S": "07"}, "sk": {"S": "-"}, "flag": {"BOOL": False}},
    {"pk": {"S": "08"}, "sk": {"S": "-"}, "nothing": {"NULL": True}},
    {"pk": {"S": "09"}, "sk": {"S": "BASKET"}, "quantity": {"N": "1"}, "price": {"N": "9.5"}},
    {"pk": {"S": "10"}, "sk": {"S": "CART#2"}, "quantity": {"N": "1.5"}},
]


def test_the_first_rule_that_fits_takes_an_item(scan_items: ScanItems, tmp_path: Path) -> None:
    manifests = {m.entity: m for m in scan_items(ITEMS, routes=ROUTES)}
    assert list(manifests) == ["carts", "searches", "big", "flags", "nulls"]
    assert {entity: values(tmp_path, m, "pk") for entity, m in manifests.items()} == {
        "carts": ["01", "09"],
        "searches": ["02"],
        "big": ["03"],
        "flags": ["06"],
        "nulls": ["08"],
    }
    rejected = quarantined(tmp_path, manifests["carts"])
    assert [(row["reason"], row["field"], json.loads(row["payload"])) for row in rejected] == [
        ("no_route", None, ITEMS[3]),
        ("no_route", None, ITEMS[4]),
        ("no_route", None, ITEMS[6]),
        ("does_not_fit", "quantity", ITEMS[9]),
    ]
    assert sum(m.rows + m.quarantined for m in manifests.values()) == len(ITEMS)
    assert {m.facts["items_read"] for m in manifests.values()} == {len(ITEMS)}
    assert len({m.facts["scan_id"] for m in manifests.values()}) == 1
    assert len({m.load_id for m in manifests.values()}) == 5


def test_an_entity_has_only_the_columns_of_its_own_items(scan_items: ScanItems) -> None:
    manifests = {m.entity: m for m in scan_items(ITEMS, routes=ROUTES)}
    assert types(manifests["searches"]) == {
        "pk": "VARCHAR", "sk": "VARCHAR", "query": "VARCHAR", "type": "VARCHAR",
    }  # fmt: skip
    assert types(manifests["carts"]) == {
        "pk": "VARCHAR", "sk": "VARCHAR", "price": "DECIMAL(18,4)", "quantity": "BIGINT",
        "type": "VARCHAR",
    }  # fmt: skip


def test_an_entity_without_items_gets_an_empty_package(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    (carts, searches) = scan_items(ITEMS[1:2], routes=ROUTES[:2])
    assert (carts.rows, carts.quarantined, searches.rows) == (0, 0, 1)
    assert types(carts) == {"pk": "VARCHAR", "sk": "VARCHAR", "quantity": "BIGINT"}
    assert values(tmp_path, carts, "quantity") == []


@pytest.mark.parametrize(
    "value", ["' or true --", "'; drop table batch; --", "x\0y", "%", "\\", '"']
)
def test_no_route_value_or_attribute_can_change_a_statement(
    scan_items: ScanItems, tmp_path: Path, value: str
) -> None:
    items = [
        {"pk": {"S": "1"}, "sk": {"S": "-"}, value: {"S": value}},
        {"pk": {"S": "2"}, "sk": {"S": "-"}, value: {"S": "other"}},
    ]
    routes = [
        Route("exactly", {value: {"equals": value}}),
        Route("rest", {value: {"exists": True}, "no such": {"exists": False}}),
    ]
    exactly, rest = scan_items(items, routes=routes)
    assert (values(tmp_path, exactly, "pk"), values(tmp_path, rest, "pk")) == (["1"], ["2"])


@pytest.mark.parametrize(
    "condition",
    [{"begins_with": 5}, {"equals": None}, {"exists": "yes"}, {"contains": "x"}, {"equals": [1]}],
)
def test_a_condition_that_is_none_of_ours_is_refused(condition: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="route to e: a: .* is not a condition"):
        route_sql([Route("e", {"a": condition})], Shape([("a", "S")]))


def test_an_entity_cannot_have_a_column_of_two_types() -> None:
    with pytest.raises(ConfigError, match="declares column n as BIGINT and as VARCHAR"):
        entity_columns([Route("e", {}, {"n": "BIGINT"}), Route("e", {}, {"n": "VARCHAR"})])


def test_conditions_on_attributes_that_no_item_has_are_false() -> None:
    sql = route_sql(
        [
            Route("a", {"x": {"equals": "1"}, "y": {"begins_with": "2"}}),
            Route("b", {"x": {"exists": True}}),
            Route("c", {"x": {"exists": False}}),
        ],
        Shape([("pk", "S")]),
    )
    assert sql == (
        "case when false and false then 'a' when (false) then 'b' when not (false) then 'c' end"
    )
