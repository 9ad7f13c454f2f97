"""Serve prepared DynamoDB pages on 127.0.0.1, faster than an emulator and with faults on request.

Run as a script it serves `page-*.json` files (arrays of items in DynamoDB JSON) of a folder.
"""

import argparse
import json
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY_SCHEMA = [
    {"AttributeName": "pk", "KeyType": "HASH"},
    {"AttributeName": "sk", "KeyType": "RANGE"},
]


@dataclass
class Table:
    """Pages that a Scan gets one by one: page n of segment s is pages[s + n * segments]."""

    pages: Sequence[bytes]
    units: float = 1.0
    delay: float = 0.0
    throttle_every: int = 0
    always_throttled: bool = False
    damage_every: int = 0
    scans: int = 0
    throttled: int = 0
    identity: str = "1700000000"
    item_count: int = 0
    size_bytes: int = 0
    limits: list[int] = field(default_factory=list[int])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.counts = [len(json.loads(page)) for page in self.pages]

    def describe(self, name: str) -> dict[str, Any]:
        return {
            "Table": {
                "TableName": name,
                "TableArn": f"arn:aws:dynamodb:eu-west-2:000000000000:table/{name}",
                "TableId": self.identity,
                "TableStatus": "ACTIVE",
                "CreationDateTime": 1700000000.0,
                "KeySchema": KEY_SCHEMA,
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
                "ItemCount": self.item_count,
                "TableSizeBytes": self.size_bytes,
                "ProvisionedThroughput": {"ReadCapacityUnits": 400, "WriteCapacityUnits": 1},
            }
        }

    def scan(self, request: dict[str, Any]) -> bytes:
        """Return the body of one page, without its closing brace."""
        number = int(request.get("ExclusiveStartKey", {}).get("pk", {}).get("S", "0"))
        if not number:
            number = request["Segment"] + 1
        if number > len(self.pages):
            return b'{"Items":[],"Count":0,"ScannedCount":0}'
        items, count = self.pages[number - 1], self.counts[number - 1]
        after = number + request["TotalSegments"]
        tail = (
            f',"Count":{count},"ScannedCount":{count},'
            f'"ConsumedCapacity":{{"TableName":"t","CapacityUnits":{self.units}}}'
        )
        if after <= len(self.pages):
            tail += f',"LastEvaluatedKey":{{"pk":{{"S":"{after}"}},"sk":{{"S":"-"}}}}'
        return b'{"Items":' + items + tail.encode() + b"}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # otherwise each answer waits 40 ms for the acknowledgement of its headers
    disable_nagle_algorithm = True
    wbufsize = -1
    table: Table

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        table = self.table
        if operation == "DescribeTable":
            self._answer(200, json.dumps(table.describe(request["TableName"])).encode())
            return
        with table.lock:
            table.scans += 1
            turn = table.scans
            table.limits.append(request.get("Limit", 0))
        if table.always_throttled or (table.throttle_every and turn % table.throttle_every == 0):
            table.throttled += 1
            self._answer(
                400,
                b'{"__type":"com.amazonaws.dynamodb.v20120810#'
                b'ProvisionedThroughputExceededException","message":"The level of configured'
                b' provisioned throughput for the table was exceeded"}',
            )
            return
        time.sleep(table.delay)
        body = table.scan(request)
        if table.damage_every and turn % table.damage_every == 0:
            damaged = body.replace(b'"Items"', b'"Itemz"')
            self._answer(200, damaged, checksum=zlib.crc32(body))
        else:
            self._answer(200, body)

    def _answer(self, status: int, body: bytes, checksum: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("x-amz-crc32", str(zlib.crc32(body) if checksum is None else checksum))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        pass


@contextmanager
def serving(table: Table) -> Iterator[str]:
    """Yield the address of a server of the table."""
    handler = type("Handler", (_Handler,), {"table": table})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pages_of(items: Sequence[dict[str, Any]], size: int) -> list[bytes]:
    """Return items in DynamoDB JSON as pages of `size` items."""
    return [
        json.dumps(items[start : start + size], separators=(",", ":")).encode()
        for start in range(0, len(items), size)
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--delay", type=float, default=0.0)
    arguments = parser.parse_args()
    folder_pages = [path.read_bytes() for path in sorted(arguments.folder.glob("page-*.json"))]
    with serving(Table(folder_pages, delay=arguments.delay, units=128.0)) as address:
        print(address, flush=True)
        threading.Event().wait()
