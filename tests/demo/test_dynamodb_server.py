"""The DynamoDB emulator: items from files, kept over restarts, read as moto gives them."""

import os
import shutil
import signal
import socket
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo import processes
from demo.dynamodb_server import DynamoDbServer, Item
from extractors.errors import ConfigError

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
TABLES = {"campaign_events": EVENTS, "shop_activity": VIEWS}


def scanned(client: Any, table: str, **arguments: Any) -> tuple[list[Item], list[int]]:
    """Return all items of a scan, and how many came on each page."""
    pages = list(client.get_paginator("scan").paginate(TableName=table, **arguments))
    return [item for page in pages for item in page["Items"]], [
        len(page["Items"]) for page in pages
    ]


def test_items_read_back_as_they_are_in_the_files(dynamodb: DynamoDbServer) -> None:
    dynamodb.write("first", TABLES)
    client = dynamodb.start().client()

    assert scanned(client, "campaign_events")[0] == EVENTS
    key = {name: EVENTS[7][name] for name in ("event_id", "received_at")}
    assert client.get_item(TableName="campaign_events", Key=key)["Item"] == EVENTS[7]
    assert dynamodb.counts() == {"campaign_events": 300, "shop_activity": 50}
    size = client.describe_table(TableName="campaign_events")["Table"]["TableSizeBytes"]
    assert 20_000 < size < 40_000


def test_a_killed_emulator_comes_back_with_its_items_on_its_port(dynamodb: DynamoDbServer) -> None:
    dynamodb.write("first", TABLES)
    port = dynamodb.start().port
    pid = int((dynamodb.directory / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    assert processes.wait_until(lambda: processes.is_gone(pid), 10)

    dynamodb.start()

    assert (dynamodb.port, dynamodb.served) == (port, "first")
    assert dynamodb.counts() == {"campaign_events": 300, "shop_activity": 50}


def test_pages_and_segments_are_the_ones_moto_gives(dynamodb: DynamoDbServer) -> None:
    dynamodb.write("first", TABLES)
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
    dynamodb.write("first", TABLES)
    client = dynamodb.start().client()
    scanned(client, "shop_activity")
    more: Item = {"pk": {"S": "VISITOR#new"}, "sk": {"S": "VIEW#1"}}

    dynamodb.apply("shop_activity", put=[more], delete=VIEWS[:1])

    found = scanned(client, "shop_activity")[0]
    assert more in found
    assert VIEWS[0] not in found
    assert len(found) == 50


def test_a_deleted_table_is_gone(dynamodb: DynamoDbServer) -> None:
    client = dynamodb.start().client()
    client.delete_table(TableName="campaign_events")

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.scan(TableName="campaign_events")


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
