"""Scans of a real DynamoDB emulator over HTTP: keys, emptiness, errors, what stays behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse

from extractors.dynamodb.budget import Budget
from extractors.dynamodb.client import dynamodb_client
from extractors.dynamodb.describe import inspect
from extractors.dynamodb.route import Route
from extractors.errors import ConfigError, SourceError
from extractors.package import packages
from tests.extractors.dynamodb.helpers import NOW, rows, scan, types, values
from tests.extractors.dynamodb.page_server import Table, serving

Make = Callable[..., str]


class SmallPages(Budget):
    """No limit but on the items of a page."""

    def __init__(self, size: int) -> None:
        super().__init__(None)
        self.size = size

    def page_limit(self, units_per_item: float | None) -> int | None:
        del units_per_item
        return self.size


def test_a_table_becomes_a_package(client: Any, table: Make, tmp_path: Path) -> None:
    items = [
        {"event_id": {"S": f"e{n:03d}"}, "received_at": {"S": "t"}, "is_bot": {"BOOL": n % 2 == 0}}
        for n in range(150)
    ]
    name = table(items, {"event_id": "S", "received_at": "S"})
    (manifest,) = scan(client, name, tmp_path, routes=[Route("campaign_events")], segments=3)
    assert (manifest.table, manifest.entity, manifest.mode) == (name, "campaign_events", "full")
    assert manifest.key == ("event_id", "received_at")
    assert manifest.complete_up_to == NOW
    assert values(tmp_path, manifest, "event_id") == [f"e{n:03d}" for n in range(150)]
    assert manifest.facts["items_read"] == 150
    assert manifest.facts["consumed_capacity"] > 0
    assert [d.name for d in packages(tmp_path, "activity", "main", name)] == [manifest.load_id]


def test_numeric_and_binary_keys_page_and_resume(client: Any, table: Make, tmp_path: Path) -> None:
    items = [{"Order": {"N": str(n)}, "b": {"B": bytes([n])}} for n in range(40)]
    name = table(items, {"Order": "N", "b": "B"})

    (manifest,) = scan(client, name, tmp_path, segments=2, budget=SmallPages(7))
    assert manifest.key == ("order_", "b")
    assert types(manifest) == {"order_": "BIGINT", "b": "BLOB"}
    assert [(row["order_"], row["b"]) for row in rows(tmp_path, manifest)] == [
        (n, bytes([n])) for n in range(40)
    ]


def test_an_empty_table_is_an_empty_full_package(client: Any, table: Make, tmp_path: Path) -> None:
    name = table([], {"id": "N"})
    (manifest,) = scan(client, name, tmp_path)
    assert (manifest.rows, types(manifest)) == (0, {"id": "BIGINT"})
    assert rows(tmp_path, manifest) == []


def test_the_same_client_serves_other_calls_during_and_after_a_scan(
    client: Any, table: Make, tmp_path: Path
) -> None:
    name = table([{"id": {"S": "1"}, "n": {"N": "1"}}], {"id": "S"})

    def progress(_: object) -> None:
        during.append(client.scan(TableName=name)["Items"])

    during: list[Any] = []
    scan(client, name, tmp_path, segments=1, progress=progress)
    assert during == [[{"id": {"S": "1"}, "n": {"N": "1"}}]]
    assert client.scan(TableName=name)["Items"] == during[0]


def test_inspect_says_what_a_scan_will_cost(client: Any, table: Make) -> None:
    name = table([{"id": {"S": "1"}}], {"id": "S"})
    report = inspect(client, name)
    assert (report.key, report.items, report.billing_mode) == ({"id": "S"}, 1, "PAY_PER_REQUEST")
    assert report.provisioned is None
    with serving(Table([], item_count=2, size_bytes=9000)) as address:
        report = inspect(dynamodb_client("eu-west-2", address), "t")
    assert (report.provisioned, report.items, report.bytes) == (400, 2, 9000)
    assert report.scan_units() == 1.5
    assert report.scan_units(consistent=True) == 3.0
    assert report.scan_seconds(0.5) == 3.0
    assert report.scan_seconds(None) is None


def test_a_missing_table_is_one_clear_line(client: Any, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        scan(client, "nowhere", tmp_path)
    message = str(error.value)
    assert message.startswith(f"DynamoDB table nowhere (eu-west-2, {client.meta.endpoint_url}): ")
    assert "no such table; check its name, the region and the endpoint" in message
    assert "\n" not in message


def test_an_unreachable_endpoint_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be reached .* check the endpoint") as error:
        scan(dynamodb_client("eu-west-2", "http://127.0.0.1:9"), "t", tmp_path)
    assert "\n" not in str(error.value)


def test_an_endpoint_that_is_no_address_is_one_clear_line() -> None:
    with pytest.raises(ConfigError, match="Invalid endpoint: nowhere; give the DynamoDB endpoint"):
        dynamodb_client("eu-west-2", "nowhere")


def test_a_landing_that_cannot_be_written_is_one_clear_line(
    client: Any, table: Make, tmp_path: Path
) -> None:
    (tmp_path / "landing").write_text("a file")
    with pytest.raises(SourceError, match="Not a directory.*; check the space and the permissions"):
        scan(client, table([], {"id": "S"}), tmp_path / "landing")


def test_missing_credentials_are_one_clear_line(
    moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    session = botocore.session.Session()
    client = session.create_client("dynamodb", region_name="eu-west-2", endpoint_url=moto)
    with pytest.raises(SourceError, match="no AWS credentials found .* set AWS_ACCESS_KEY_ID"):
        scan(client, "t", tmp_path)


def test_a_table_that_vanishes_during_the_scan_is_a_source_error(
    client: Any, table: Make, tmp_path: Path
) -> None:
    name = table([{"id": {"S": str(n)}} for n in range(20)], {"id": "S"})

    def vanish(_: object) -> None:
        client.delete_table(TableName=name)

    with pytest.raises(SourceError, match="no such table"):
        scan(client, name, tmp_path, segments=1, progress=vanish, budget=SmallPages(1))
    assert list(packages(tmp_path, "activity", "main", name)) == []
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    (manifest,) = scan(client, name, tmp_path, segments=1)
    assert manifest.rows == 0


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDeniedException", "access denied; grant dynamodb:DescribeTable"),
        ("UnrecognizedClientException", "check the access key"),
        ("ExpiredTokenException", "get new credentials"),
        ("InternalServerError", "check the table and the permissions"),
    ],
)
def test_what_the_service_refuses_is_one_clear_line(
    moto: str, tmp_path: Path, code: str, advice: str
) -> None:
    client = dynamodb_client("eu-west-2", moto)

    def refuse(**_: object) -> tuple[Any, dict[str, Any]]:
        answer = AWSResponse(moto, 400, {}, None)
        return answer, {"Error": {"Code": code, "Message": "two\nlines"}}

    client.meta.events.register("before-call.dynamodb.DescribeTable", refuse)
    with pytest.raises(SourceError, match=advice) as error:
        scan(client, "t", tmp_path)
    assert f"[{code}: two lines]" in str(error.value)
