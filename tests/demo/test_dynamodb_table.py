"""The demo's table gives the pages that moto's own gives, whatever was read or written before."""

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import dynamo_json_dump

from demo import dynamodb_files
from demo.dynamodb_files import ItemFile
from demo.dynamodb_table import DemoTable
from demo.items import Item, rendered_items

KEYS = ("pk", "sk")

keys = st.tuples(st.sampled_from("aäbcd"), st.sampled_from("xyz😀"))
# Some items fill a good part of a page of 1 MB.
sizes = st.sampled_from([0, 1, 399_000])
stores = st.dictionaries(keys, sizes, max_size=14)
steps = st.lists(st.tuples(st.sampled_from(["put", "delete", "get", "all", "copy"]), keys, sizes))
scans = st.fixed_dictionaries(
    {},
    optional={
        "Limit": st.integers(1, 5),
        "Segments": st.integers(1, 3).flatmap(
            lambda count: st.tuples(st.integers(0, count - 1), st.just(count))
        ),
    },
)


def item(key: tuple[str, str], size: int) -> Item:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}, "text": {"S": "é" * (size // 2)}}


def table(kind: Any) -> Any:
    return kind(
        "shop_activity",
        account_id="1",
        region="eu-west-2",
        schema=[
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(KEYS, ("HASH", "RANGE"), strict=True)
        ],
        attr=[{"AttributeName": name, "AttributeType": "S"} for name in KEYS],
        billing_mode="PAY_PER_REQUEST",
    )


def step(target: Any, kind: str, key: tuple[str, str], size: int) -> None:
    hash_key, range_key = (DynamoType({"S": part}) for part in key)
    if kind == "put":
        target.put_item(item(key, size))
    elif kind == "delete":
        target.delete_item(hash_key, range_key)
    elif kind == "get":
        target.get_item(hash_key, range_key)
    elif kind == "all":
        target.all_items()
    elif kind == "copy":
        # What a transaction does that is given up.
        target.items = copy.deepcopy(target.items)


def pages_of_moto(moto: Any, scan: dict[str, Any]) -> list[list[Item]]:
    pages: list[list[Item]] = []
    start = None
    while True:
        found, _, start = moto.scan(
            {}, scan.get("Limit"), start, segments=scan.get("Segments", (None, None))
        )
        pages.append([json.loads(dynamo_json_dump(one.to_json()["Attributes"])) for one in found])
        if start is None:
            return pages


def pages_of_ours(ours: Any, scan: dict[str, Any]) -> list[list[Item]]:
    request: dict[str, Any] = {"Limit": scan["Limit"]} if "Limit" in scan else {}
    if "Segments" in scan:
        request |= dict(zip(("Segment", "TotalSegments"), scan["Segments"], strict=True))
    pages: list[list[Item]] = []
    while True:
        answer = json.loads(ours.page(request))
        assert answer["Count"] == answer["ScannedCount"] == len(answer["Items"])
        pages.append(answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return pages
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


@settings(deadline=None, max_examples=40)
@given(stores, steps, st.lists(scans, min_size=1, max_size=2))
def test_pages_are_motos_after_any_reads_and_writes(
    held: dict[tuple[str, str], int],
    done: list[tuple[str, tuple[str, str], int]],
    asked: list[dict[str, Any]],
) -> None:
    items = [item(key, size) for key, size in held.items()]
    moto, ours = table(Table), table(DemoTable)
    with tempfile.TemporaryDirectory() as folder:
        dynamodb_files.write(Path(folder), "shop_activity", rendered_items(items, KEYS))
        file = ItemFile(Path(folder), "shop_activity", KEYS)
    ours.serve(file)
    for one in items:
        moto.put_item(one)
    for number, (kind, key, size) in enumerate(done):
        for target in (moto, ours):
            step(target, kind, key, size)
        ours.touch()
        if number % 2:
            ours.page({})

    for scan in asked:
        assert pages_of_ours(ours, scan) == pages_of_moto(moto, scan)
    described = ours.describe()["TableDescription"]
    everything = moto.all_items()
    assert described["ItemCount"] == len(everything)
    assert described["TableSizeBytes"] == sum(one.size() for one in everything)
    file.close()


def test_a_read_of_one_item_leaves_the_others_in_the_file(tmp_path: Path) -> None:
    items = [item((name, "x"), 1) for name in "abc"]
    dynamodb_files.write(tmp_path, "shop_activity", rendered_items(items, KEYS))
    ours = table(DemoTable)
    ours.serve(ItemFile(tmp_path, "shop_activity", KEYS))

    found = ours.get_item(DynamoType({"S": "b"}), DynamoType({"S": "x"}))

    assert found.to_json()["Attributes"] == items[1]
    assert list(ours.items.taken) == ["b"]
