"""An item that goes through a package comes back as the very same item."""

import base64
import gzip
import json
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractors.dynamodb.canonical import canonical_item
from extractors.dynamodb.client import dynamodb_client
from tests.extractors.dynamodb.helpers import items, scan, types
from tests.extractors.dynamodb.page_server import Table, pages_of, serving

Item = dict[str, dict[str, Any]]


def number_text(sign: str, digits: str, exponent: int) -> str:
    return f"{sign}{digits}E{exponent}" if exponent else f"{sign}{digits}"


def plain_text(sign: str, digits: str, places: int) -> str:
    padded = digits.rjust(places + 1, "0")
    return f"{sign}{padded[:-places]}.{padded[-places:]}" if places else f"{sign}{digits}"


digits = st.text("0123456789", min_size=1, max_size=38)
signs = st.sampled_from(["", "-"])
numbers = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.builds(plain_text, signs, digits, st.integers(0, 38)),
    st.builds(number_text, signs, digits, st.integers(-90, 87)),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
binaries = st.binary(max_size=8).map(lambda value: base64.b64encode(value).decode())
names = st.one_of(st.sampled_from("abcdeABCDE"), texts.filter(bool))


def sets(elements: st.SearchStrategy[str], same: Callable[[str], object]) -> Any:
    return st.lists(elements, min_size=1, max_size=4, unique_by=same)


scalars = st.one_of(
    st.builds(lambda value: {"S": value}, texts),
    st.builds(lambda value: {"N": value}, numbers),
    st.builds(lambda value: {"B": value}, binaries),
    st.builds(lambda value: {"BOOL": value}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda value: {"SS": value}, sets(texts, str)),
    st.builds(lambda value: {"NS": value}, sets(numbers, Decimal)),
    st.builds(lambda value: {"BS": value}, sets(binaries, str)),
)
attribute_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda value: {"L": value}, st.lists(inner, max_size=3)),
        st.builds(lambda value: {"M": value}, st.dictionaries(texts, inner, max_size=3)),
    ),
    max_leaves=8,
)
generated_items = st.lists(
    st.dictionaries(
        names.filter(lambda name: name not in ("pk", "sk")), attribute_values, max_size=6
    ),
    min_size=1,
    max_size=30,
)


def plain(item: Item) -> dict[str, Any]:
    """Return an item as boto3 gives it to a program, binary values decoded first."""
    decoded = {name: _decoded(value) for name, value in item.items()}
    return {name: TypeDeserializer().deserialize(value) for name, value in decoded.items()}


def _decoded(tagged: dict[str, Any]) -> dict[str, Any]:
    ((tag, value),) = tagged.items()
    match tag:
        case "B":
            value = base64.b64decode(value)
        case "BS":
            value = [base64.b64decode(element) for element in value]
        case "L":
            value = [_decoded(element) for element in value]
        case "M":
            value = {name: _decoded(element) for name, element in value.items()}
        case _:
            pass
    return {tag: value}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(generated_items)
def test_items_come_back_identical(generated: list[Item]) -> None:
    originals = [
        {"pk": {"S": f"{number:04d}"}, "sk": {"S": "-"}, **attributes}
        for number, attributes in enumerate(generated)
    ]
    with tempfile.TemporaryDirectory() as folder, serving(Table(pages_of(originals, 5))) as address:
        client = dynamodb_client("eu-west-2", address)
        (manifest,) = scan(client, "t", Path(folder), segments=2)
        restored = items(Path(folder), manifest)
    assert manifest.quarantined == 0
    assert [canonical_item(item) for item in restored] == [canonical_item(i) for i in originals]
    assert [plain(item) for item in restored] == [plain(item) for item in originals]


def assert_faithful(
    client: Any, folder: Path, table: Callable[..., str], key: dict[str, str], originals: list[Item]
) -> dict[str, str]:
    """Put items into moto, scan them, compare with boto3's own reading; return the raw types."""
    name = table([_decoded({"M": item})["M"] for item in originals], key)
    (manifest,) = scan(client, name, folder)
    assert manifest.rows == len(originals)
    read = [item for page in client.get_paginator("scan").paginate(TableName=name)
            for item in page["Items"]]  # fmt: skip
    deserialize = TypeDeserializer().deserialize

    def by_key(item: dict[str, Any]) -> str:
        return json.dumps([str(item[attribute]) for attribute in key])

    expected = [{name: deserialize(value) for name, value in item.items()} for item in read]
    restored = [plain(item) for item in items(folder, manifest)]
    assert sorted(restored, key=by_key) == sorted(expected, key=by_key)
    return types(manifest)


def batch(path: Path) -> tuple[str, list[Item]]:
    """Return the table and the items of a file in batch-write form."""
    ((name, requests),) = json.loads(path.read_text()).items()
    return name, [request["PutRequest"]["Item"] for request in requests]


def test_product_catalog(
    client: Any, tmp_path: Path, table: Callable[..., str], shared_data: Path
) -> None:
    _, products = batch(shared_data / "dynamodb_json" / "ProductCatalog.json")
    columns = assert_faithful(client, tmp_path, table, {"Id": "N"}, products)
    assert columns["id"] == "BIGINT"
    assert columns["price"] == "BIGINT"
    assert columns["authors"] in ("VARCHAR[]", "VARCHAR")


def test_forum_thread_and_reply(
    client: Any, tmp_path: Path, table: Callable[..., str], shared_data: Path
) -> None:
    for file, key in (
        ("Forum", {"Name": "S"}),
        ("Thread", {"ForumName": "S", "Subject": "S"}),
        ("Reply", {"Id": "S", "ReplyDateTime": "S"}),
    ):
        _, originals = batch(shared_data / "dynamodb_json" / f"{file}.json")
        assert_faithful(client, tmp_path / file, table, key, originals)


def test_bookmarks(
    client: Any, tmp_path: Path, table: Callable[..., str], shared_data: Path
) -> None:
    _, originals = batch(shared_data / "dynamodb_json" / "batch_write_bookmarks.json")
    columns = assert_faithful(client, tmp_path, table, {"PK": "S", "SK": "S"}, originals)
    assert columns["bookmark"] == "BIGINT"


def test_retail_cart(
    client: Any, tmp_path: Path, table: Callable[..., str], shared_data: Path
) -> None:
    model = json.loads(
        (shared_data / "dynamodb_json" / "retail_cart_workbench_model.json").read_text()
    )
    (data_model,) = model["DataModel"]
    key = {
        attribute["AttributeName"]: attribute["AttributeType"]
        for attribute in data_model["KeyAttributes"].values()
    }
    columns = assert_faithful(client, tmp_path, table, key, data_model["TableData"])
    assert "price" in columns


def test_a_single_table_of_game_players(tmp_path: Path, shared_data: Path) -> None:
    serialize = TypeSerializer().serialize
    with gzip.open(
        shared_data / "dynamodb_json" / "game_player_single_table.jsonl.gz", "rt"
    ) as file:
        originals = [
            {
                name: serialize(value)
                for name, value in json.loads(line, parse_float=Decimal).items()
            }
            for line in file
        ]
    with serving(Table(pages_of(originals, 100))) as address:
        (manifest,) = scan(dynamodb_client("eu-west-2", address), "t", tmp_path)
    assert manifest.rows == 835
    assert sorted(canonical_item(item) for item in items(tmp_path, manifest)) == sorted(
        canonical_item(item) for item in originals
    )
