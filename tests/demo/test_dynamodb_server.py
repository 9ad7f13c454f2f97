"""The DynamoDB emulator: items from files, kept over restarts, read as moto gives them."""

import os
import shutil
import signal
import socket
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from demo.dynamodb_server import DynamoDbServer
from demo.items import Item, rendered_items
from demo.tables import DYNAMODB_TABLES
from extractors.errors import ConfigError
from localserver import processes

EVENTS: list[Item] = [
    {
        "event_id": {"S": f"e{number:03}"},
        "received_at": {"S": "2026-01-01T00:00:00.000Z"},
        "is_bot": {"BOOL": number % 2 == 0},
        "price": {"N": "2.5"},
        "tags": {"L": [{"S": "ä"}, {"M": {"deep": {"NULL": True}}}]},
        "sizes": {"NS": ["1", "2"]},
    }
    for number in range(300)
]
VIEWS: list[Item] = [
    {"pk": {"S": f"VISITOR#{number % 7}"}, "sk": {"S": f"VIEW#{number:03}"}} for number in range(50)
]
COUNTS = {"campaign_events": 300, "affiliate_clicks": 0, "shop_activity": 50}


def tables(events: list[Item] = EVENTS, views: list[Item] = VIEWS) -> dict[str, pa.Table]:
    """Return what `update` takes."""
    items = {"campaign_events": events, "affiliate_clicks": [], "shop_activity": views}
    return {name: rendered_items(items[name], keys) for name, keys in DYNAMODB_TABLES.items()}


def scanned(client: Any, table: str, **arguments: Any) -> tuple[list[Item], list[int]]:
    """Return all items of a scan, and how many came on each page."""
    pages = list(client.get_paginator("scan").paginate(TableName=table, **arguments))
    return [item for page in pages for item in page["Items"]], [
        len(page["Items"]) for page in pages
    ]


def test_items_read_back_as_they_are_in_the_files(dynamodb: DynamoDbServer) -> None:
    dynamodb.update("first", tables())
    client = dynamodb.start().client()

    assert scanned(client, "campaign_events")[0] == EVENTS
    key = {name: EVENTS[7][name] for name in ("event_id", "received_at")}
    assert client.get_item(TableName="campaign_events", Key=key)["Item"] == EVENTS[7]
    assert dynamodb.counts() == COUNTS
    found = client.query(
        TableName="shop_activity",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "VISITOR#3"}},
    )["Items"]
    assert found == [view for view in VIEWS if view["pk"] == {"S": "VISITOR#3"}]
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.put_item(
            TableName="shop_activity", Item=VIEWS[0], ConditionExpression="attribute_not_exists(pk)"
        )
    size = client.describe_table(TableName="campaign_events")["Table"]["TableSizeBytes"]
    assert 20_000 < size < 40_000


def test_a_killed_emulator_comes_back_with_its_items_on_its_port(dynamodb: DynamoDbServer) -> None:
    dynamodb.update("first", tables())
    port = dynamodb.start().port
    pid = int((dynamodb.directory / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    assert processes.wait_until(lambda: processes.is_gone(pid), 10)

    dynamodb.start()

    assert (dynamodb.port, dynamodb.served) == (port, "first")
    assert dynamodb.counts() == COUNTS


def test_pages_and_segments_are_the_ones_moto_gives(dynamodb: DynamoDbServer) -> None:
    dynamodb.update("first", tables())
    client = dynamodb.start().client()
    # A filter that every item passes takes the way through moto itself.
    ours_and_motos: list[dict[str, Any]] = [
        {},
        {"FilterExpression": "attribute_exists(pk)"},
    ]
    for arguments in ({"Limit": 7}, {"Segment": 1, "TotalSegments": 3}, {"Limit": 50}):
        ours, motos = (
            scanned(client, "shop_activity", **arguments, **way) for way in ours_and_motos
        )
        assert ours == motos


def test_what_is_written_through_the_api_is_seen_by_the_next_scan(
    dynamodb: DynamoDbServer,
) -> None:
    dynamodb.update("first", tables())
    client = dynamodb.start().client()
    scanned(client, "shop_activity")
    more: Item = {"pk": {"S": "VISITOR#new"}, "sk": {"S": "VIEW#1"}, "raw": {"B": b"\x00\xff"}}
    changed = {"cart": {"Value": {"M": {"lines": {"L": []}}}, "Action": "PUT"}}

    client.put_item(TableName="shop_activity", Item=more)
    client.delete_item(TableName="shop_activity", Key=VIEWS[0])
    client.update_item(TableName="shop_activity", Key=VIEWS[1], AttributeUpdates=changed)

    found = scanned(client, "shop_activity")[0]
    kept = [*VIEWS[2:], VIEWS[1] | {"cart": {"M": {"lines": {"L": []}}}}, more]
    assert found == sorted(kept, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


CHANGED = EVENTS[4] | {"price": {"N": "3"}, "tags": {"NULL": True}, "raw": {"B": "AP8="}}
MORE: Item = {"event_id": {"S": "f"}, "received_at": {"S": "2026-01-02"}}
LATER = [*EVENTS[:4], CHANGED, *EVENTS[6:], MORE]


def as_read(items: list[Item]) -> list[Item]:
    """Return items as boto3 gives them: bytes decoded."""
    return [item | ({"raw": {"B": b"\x00\xff"}} if "raw" in item else {}) for item in items]


@pytest.mark.parametrize("live", [1000, 0], ids=["through the API", "by a new start"])
def test_an_update_changes_what_the_running_process_serves(
    dynamodb: DynamoDbServer, monkeypatch: pytest.MonkeyPatch, live: int
) -> None:
    monkeypatch.setattr("demo.dynamodb_server.LIVE", live)
    dynamodb.update("first", tables())
    port, pid = dynamodb.start().port, (dynamodb.directory / "pid").read_text()

    counts = dynamodb.update("later", tables(LATER, VIEWS[3:]))

    assert counts == {
        "campaign_events": (2, 1),
        "affiliate_clicks": (0, 0),
        "shop_activity": (0, 3),
    }
    client = dynamodb.client()
    assert scanned(client, "campaign_events")[0] == as_read(LATER)
    in_order = sorted(VIEWS[3:], key=lambda item: (item["pk"]["S"], item["sk"]["S"]))
    assert scanned(client, "shop_activity")[0] == in_order
    assert (dynamodb.port, dynamodb.version, dynamodb.served) == (port, "later", "later")
    assert ((dynamodb.directory / "pid").read_text() == pid) == (live > 0)
    assert dynamodb.update("later", tables(LATER, VIEWS[3:])) == dict.fromkeys(COUNTS, (0, 0))


def test_a_process_that_lags_is_started_anew(dynamodb: DynamoDbServer) -> None:
    dynamodb.update("first", tables())
    dynamodb.start()
    # A kill came after the files were written.
    (dynamodb.directory / "served").write_text("older")

    dynamodb.update("later", tables(LATER))

    assert scanned(dynamodb.client(), "campaign_events")[0] == as_read(LATER)
    assert dynamodb.served == "later"


def test_files_of_a_killed_write_are_not_served(dynamodb: DynamoDbServer) -> None:
    dynamodb.update("first", tables())
    (dynamodb.directory / "version").unlink()

    assert dynamodb.start().counts() == dict.fromkeys(COUNTS, 0)
    assert dynamodb.update("first", tables())["shop_activity"] == (50, 0)
    assert dynamodb.counts() == COUNTS


def test_items_kept_beside_the_shops_own_are_served_with_them(dynamodb: DynamoDbServer) -> None:
    dynamodb.write_more("shop_activity", "clicks", VIEWS[40:])
    dynamodb.update("first", tables(views=VIEWS[:40]))

    assert dynamodb.has_more("shop_activity", "clicks")
    assert dynamodb.start().counts() == COUNTS
    assert dynamodb.update("later", tables(views=VIEWS[:30]))["shop_activity"] == (0, 10)
    assert VIEWS[45] in scanned(dynamodb.client(), "shop_activity")[0]


def test_a_deleted_table_is_gone(dynamodb: DynamoDbServer) -> None:
    client = dynamodb.start().client()
    client.delete_table(TableName="campaign_events")

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.scan(TableName="campaign_events")


def test_a_stop_ends_it_also_where_whoever_started_it_ignores_the_signal(
    dynamodb: DynamoDbServer,
) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        dynamodb.start()
    finally:
        signal.signal(signal.SIGTERM, before)
    pid = int((dynamodb.directory / "pid").read_text())

    os.kill(pid, signal.SIGTERM)

    assert processes.wait_until(lambda: processes.is_gone(pid), 10)


def test_it_ends_when_its_folder_is_removed(dynamodb: DynamoDbServer) -> None:
    dynamodb.start()
    pid = int((dynamodb.directory / "pid").read_text())

    shutil.rmtree(dynamodb.directory)

    assert processes.wait_until(lambda: processes.is_gone(pid), 20)


def test_a_taken_port_is_named(dynamodb: DynamoDbServer) -> None:
    port = dynamodb.start().port
    dynamodb.stop()
    assert processes.wait_until(lambda: processes.is_free(port), 3)
    taken = pytest.raises(ConfigError, match=f"port {port} .* is taken")
    with socket.create_server(("127.0.0.1", port)), taken:
        dynamodb.start()
