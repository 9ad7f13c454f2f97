"""DynamoDB to test against: a real moto server, and a fast server of prepared pages."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from extractors.dynamodb.client import dynamodb_client
from extractors.package import Manifest
from tests.extractors.dynamodb.helpers import scan
from tests.extractors.dynamodb.page_server import Table, pages_of, serving

Item = dict[str, dict[str, Any]]


@pytest.fixture(scope="session", autouse=True)
def credentials() -> Iterator[None]:
    """Give botocore credentials that open nothing, and keep it from looking for others."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="session")
def moto(credentials: None) -> Iterator[str]:  # noqa: ARG001  set first
    """Yield the address of a moto server, a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", port]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server)
        yield address
    finally:
        server.terminate()
        server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    client = dynamodb_client("eu-west-2", address)
    end = time.monotonic() + 30
    while True:
        try:
            client.list_tables()
        except BotoCoreError:
            assert server.poll() is None, "moto_server ended"
            assert time.monotonic() < end, "moto_server did not answer"
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def client(moto: str) -> Any:
    return dynamodb_client("eu-west-2", moto)


@pytest.fixture
def table(client: Any, request: pytest.FixtureRequest) -> Callable[..., str]:
    """Return a function that makes a moto table with items and returns its name."""

    def make(
        items: Sequence[Item],
        key: dict[str, str] | None = None,
        name: str | None = None,
        **more: Any,
    ) -> str:
        name = name or f"t-{time.monotonic_ns()}"
        key = key or {"pk": "S", "sk": "S"}
        client.create_table(
            TableName=name,
            AttributeDefinitions=[
                {"AttributeName": attribute, "AttributeType": type_}
                for attribute, type_ in key.items()
            ],
            KeySchema=[
                {"AttributeName": attribute, "KeyType": kind}
                for attribute, kind in zip(key, ("HASH", "RANGE"), strict=False)
            ],
            **({"BillingMode": "PAY_PER_REQUEST"} | more),
        )
        request.addfinalizer(lambda: client.delete_table(TableName=name))
        for item in items:
            client.put_item(TableName=name, Item=item)
        return name

    return make


@pytest.fixture
def scan_items(tmp_path: Path) -> Callable[..., list[Manifest]]:
    """Return a function that scans items from the page server into `tmp_path`."""

    def run(items: Sequence[Item], *, page: int = 3, **options: Any) -> list[Manifest]:
        with serving(Table(pages_of(items, page))) as address:
            return scan(dynamodb_client("eu-west-2", address), "t", tmp_path, **options)

    return run
