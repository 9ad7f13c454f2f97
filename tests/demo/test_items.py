"""Columns become DynamoDB items: every value exactly, in one line, in the order of the keys."""

import base64
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from boto3.dynamodb.types import Binary, TypeSerializer
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict
from moto.dynamodb.models.dynamo_type import Item as MotoItem

from demo.items import JSON_VALUE, Item, rendered, rendered_items

KEYS = ("pk", "sk")
SCHEMA = pa.schema(
    [
        ("note", pa.string()),
        ("pk", pa.string()),
        ("count", pa.int64()),
        ("price", pa.decimal128(38, 9)),
        ("trace", pa.decimal128(38, 0)),
        ("is_bot", pa.bool_()),
        ("sk", pa.string()),
        ("token", pa.binary()),
        pa.field("more", pa.string(), metadata=JSON_VALUE),
    ]
)

texts = st.text(max_size=12)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | texts | st.integers(-(10**37), 10**37),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
rows = st.fixed_dictionaries(
    {
        "note": st.none() | texts,
        "pk": st.text(min_size=1, max_size=3),
        "count": st.none() | st.integers(-(2**63), 2**63 - 1),
        "price": st.none() | st.decimals(-(10**20), 10**20, places=9),
        "trace": st.none() | st.integers(-(10**38) + 1, 10**38 - 1).map(Decimal),
        "is_bot": st.none() | st.booleans(),
        "sk": st.text(min_size=1, max_size=3),
        "token": st.none() | st.binary(max_size=9),
        "more": st.none() | values.map(lambda value: json.dumps(serialised(value), indent=1)),
    }
)


def serialised(value: Any) -> dict[str, Any]:
    """Return what boto3 would send, numbers written out, bytes as they travel in JSON."""
    found: dict[str, Any] = TypeSerializer().serialize(value)
    ((kind, content),) = found.items()
    if kind == "B":
        raw = content.value if isinstance(content, Binary) else content
        return {"B": base64.b64encode(raw).decode()}
    if kind == "N":
        text = format(Decimal(content), "f")
        return {"N": text.rstrip("0").rstrip(".") if "." in text else text}
    return found


def expected(row: dict[str, Any]) -> Item:
    item = {
        name: json.loads(value) if name == "more" else serialised(value)
        for name, value in row.items()
        if value is not None
    }
    if item.get("price") == {"N": "-0"}:
        item["price"] = {"N": "0"}
    return item


def moto_size(item: Item) -> int:
    attributes: Any = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(attributes, {name: DynamoType(value) for name, value in item.items()})
    moto: Any = MotoItem.__new__(MotoItem)
    moto.attrs = attributes
    return moto.size()


@settings(deadline=None, max_examples=60)
@given(st.lists(rows, max_size=6, unique_by=lambda row: (row["pk"], row["sk"])), st.integers(0, 6))
def test_every_row_becomes_the_item_that_boto3_would_send(
    drawn: list[dict[str, Any]], cut: int
) -> None:
    tables = [pa.Table.from_pylist(part, schema=SCHEMA) for part in (drawn[:cut], drawn[cut:])]

    found = rendered(tables, KEYS).to_pylist()

    wanted = sorted(drawn, key=lambda row: (row["pk"].encode(), row["sk"].encode()))
    items = [expected(row) for row in wanted]
    assert [json.loads(row["item"]) for row in found] == items
    assert [(row["hash"], row["range"]) for row in found] == [(r["pk"], r["sk"]) for r in wanted]
    assert [row["size"] for row in found] == [moto_size(item) for item in items]
    assert not any("\n" in row["item"] for row in found)
    assert rendered_items(items, KEYS).drop_columns("item").to_pylist() == [
        {name: row[name] for name in ("hash", "range", "size")} for row in found
    ]


def test_a_line_holds_the_keys_first_and_plain_numbers() -> None:
    more = json.dumps({"SS": ["a", "b"]})
    row = {"note": 'ä "\\', "pk": "p", "price": Decimal("2.550"), "sk": "s", "more": more}
    row["trace"] = Decimal(10**37)

    found = rendered([pa.Table.from_pylist([row], schema=SCHEMA)], KEYS)

    assert found.column("item").to_pylist() == [
        '{"pk":{"S":"p"},"sk":{"S":"s"},"note":{"S":"ä \\"\\\\"},"price":{"N":"2.55"},'
        '"trace":{"N":"10000000000000000000000000000000000000"},"more":{"SS": ["a", "b"]}}'
    ]


def test_a_dictionary_column_is_text() -> None:
    coded = pa.array(["a", 'b"', "a"]).dictionary_encode()
    table = pa.table({"pk": ["3", "1", "2"], "sk": ["s"] * 3, "code": coded})

    lines = rendered([table], KEYS).column("item").to_pylist()

    assert [json.loads(line)["code"] for line in lines] == [{"S": 'b"'}, {"S": "a"}, {"S": "a"}]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"pk": ["a", "a"], "sk": ["b", "b"]}, "two items with pk 'a' and sk 'b'"),
        ({"pk": ["a", None], "sk": ["b", "b"]}, "an item without pk or sk"),
        ({"pk": ["a", "b"], "sk": ["b", ""]}, "an item without pk or sk"),
    ],
)
def test_items_that_dynamodb_would_not_take_are_refused(
    columns: dict[str, list[str | None]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        rendered([pa.table(columns)], KEYS)


def test_a_type_without_a_counterpart_is_named() -> None:
    with pytest.raises(TypeError, match="column price: double is no type of an attribute"):
        rendered([pa.table({"pk": ["a"], "sk": ["b"], "price": [2.5]})], KEYS)
